"""Bodies that others trained: image models of `transformers` from a local folder, under our own heads.

What a body has to do: give maps (n, c, h, w) of photos, and name its parts. The model's configuration is kept
inside the checkpoint's own, so that it loads without the folder it once came from. Nothing is downloaded,
unpickled or run that the folder brings along.
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ml.embedder import Embedder, EmbedderConfig
from ml.photos import MEAN, SPREAD

# Of ImageNet, which most backbones were trained on, where the folder says nothing else.
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
INPUT_SIZE = 224
# Of the configuration, what says nothing about the network.
IDLE = ("id2label", "label2id", "_name_or_path", "transformers_version", "dtype", "architectures")


class BackboneRefused(ValueError):
    """The folder holds no image model that can be used; the message says why."""


class Adapted(Embedder):
    """An Embedder whose body is a model of `transformers`, random until weights are loaded."""

    factor: Tensor
    offset: Tensor

    def _build(self, config: EmbedderConfig) -> None:
        if config.backbone is None:
            raise ValueError("a configuration without a backbone")
        self.body = _model(config.backbone["model"])
        mean, std = (torch.tensor(config.backbone[name]).view(3, 1, 1) for name in IMAGENET)
        self.register_buffer("factor", SPREAD / std, persistent=False)
        self.register_buffer("offset", (MEAN - mean) / std, persistent=False)

    def maps(self, photos: Tensor) -> list[Tensor]:
        found: Tensor = self.body(photos * self.factor + self.offset).last_hidden_state
        return [found.transpose(1, 2).unsqueeze(3) if found.dim() == 3 else found]  # tokens are a narrow map

    def parts(self) -> list[nn.Module]:
        """What comes before the model's stages or blocks, as one part, and each of those."""
        lists = [(name, each) for name, each in self.body.named_modules() if isinstance(each, nn.ModuleList)]
        name, stages = min(lists, key=lambda named: named[0].count("."))
        before = []
        for child, module in self.body.named_children():
            if child == name.split(".")[0]:
                break
            before.append(module)
        return [nn.ModuleList(before), *stages]


def network(config: EmbedderConfig) -> Embedder:
    """The network of a configuration, with random weights. Raises BackboneRefused."""
    return Embedder(config) if config.backbone is None else Adapted(config)


def adapt(folder: Path) -> Embedder:
    """The image model in a folder as `save_pretrained` writes it, with new heads. Raises BackboneRefused."""
    told = _json(folder / "config.json")
    if not any(folder.glob("*.safetensors")):
        raise BackboneRefused(f"{folder}: no *.safetensors; expected such weights, pickled ones are not read")
    scale = folder / "preprocessor_config.json"
    colours = {**IMAGENET, **(_json(scale) if scale.exists() else {})}
    model = {name: value for name, value in told.items() if name not in IDLE}
    backbone = {"model": model, **{name: colours[name] for name in IMAGENET}}
    try:
        built = Adapted(_config(backbone))
    except BackboneRefused as error:
        raise BackboneRefused(f"{folder}: {error}") from error
    built.body.load_state_dict(_weights(folder).state_dict())
    return built


def _config(backbone: dict[str, Any]) -> EmbedderConfig:
    """Ours, for a backbone: the size of its input, and the channels of its map."""
    size = backbone["model"].get("image_size", INPUT_SIZE)
    config = EmbedderConfig(
        input_size=size if isinstance(size, int) else size[0],
        stem=0,
        widths=(1,),
        blocks=(),
        strides=(),
        pooled=1,
        backbone=backbone,
    )
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            probe = Adapted(config).eval()
            channels = probe.maps(torch.zeros(1, 3, config.input_size, config.input_size))[0].shape[1]
    except (ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise BackboneRefused(f"no image model whose maps can be used ({_first_line(error)})") from error
    return replace(config, widths=(channels,))


def _model(config: dict[str, Any]) -> nn.Module:
    transformers = _transformers()
    try:
        built: nn.Module = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(**config))
    except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise BackboneRefused(f"not a model that transformers knows ({_first_line(error)})") from error
    return built


def _weights(folder: Path) -> nn.Module:
    """Loaded from safetensors alone; what a classifier's head adds is left out, what is missing refused."""
    auto = _transformers().AutoModel
    try:
        model, loading = auto.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # what the libraries raise for broken files is not listed anywhere
        raise BackboneRefused(f"{folder}: weights that cannot be read ({_first_line(error)})") from error
    missing = sorted(name for name in loading["missing_keys"] if "pooler" not in name)
    if missing or loading["mismatched_keys"]:
        strange = missing or sorted(map(str, loading["mismatched_keys"]))
        raise BackboneRefused(f"{folder}: weights of another architecture, such as {strange[0]}")
    loaded: nn.Module = model
    return loaded


def _transformers() -> Any:
    try:
        transformers: Any = import_module("transformers")  # optional, and slow to import
    except ImportError as error:
        raise BackboneRefused(
            "a backbone needs the package transformers: .venv/bin/python -m pip install transformers"
        ) from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _json(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BackboneRefused(f"{path}: cannot be read ({error.strerror})") from error
    return json_object(path, content, BackboneRefused)


def json_object(path: Path, content: bytes, refused: type[ValueError]) -> dict[str, Any]:
    """What a file holds, if it is a JSON object. Raises `refused`, naming the file."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise refused(f"{path}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise refused(f"{path}: expected a JSON object")
    return found


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
