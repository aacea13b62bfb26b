"""An image model of transformers becomes a body and is kept in the checkpoint; a wrong folder is named."""

import json
from pathlib import Path

import pytest
import torch
from transformers import ConvNextConfig, ConvNextModel, ResNetConfig, ResNetModel, ViTConfig, ViTModel

from ml import backbones, checkpoint
from ml.backbones import BackboneRefused, adapt
from ml.calibration import Calibration

RESNET = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")


def write_backbone(folder: Path, kind: str = "resnet") -> Path:
    models = {
        "resnet": lambda: ResNetModel(RESNET),
        "convnext": lambda: ConvNextModel(
            ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, image_size=32)
        ),
        "vit": lambda: ViTModel(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=32,
                patch_size=8,
            )
        ),
    }
    torch.manual_seed(3)
    models[kind]().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["resnet", "convnext", "vit"])
def test_a_body_of_another_kind_comes_back_without_its_folder(tmp_path: Path, kind: str) -> None:
    network = adapt(write_backbone(tmp_path / "backbone", kind)).eval()
    (tmp_path / "backbone").rename(tmp_path / "gone")
    checkpoint.save(tmp_path / "model", network, Calibration(), {})
    again = checkpoint.load(tmp_path / "model").network
    photos = torch.randn(2, 3, network.config.input_size, network.config.input_size)
    with torch.inference_mode():
        vectors, found = network(photos)[0], again(photos)[0]
    assert torch.allclose(vectors, found, atol=0.02)
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)
    assert len(network.parts()) == 3


def test_its_own_weights_are_taken_over(tmp_path: Path) -> None:
    network = adapt(write_backbone(tmp_path))
    given = ResNetModel.from_pretrained(tmp_path, local_files_only=True).state_dict()
    assert all(torch.equal(given[name], value) for name, value in network.body.state_dict().items())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, r"config\.json: cannot be read"),
        ("config.json", b"{", r"config\.json: not JSON"),
        ("config.json", b'{"model_type": "abacus"}', "not a model that transformers knows"),
        ("config.json", b'{"model_type": "bert"}', "no image model whose maps can be used"),
        ("config.json", "wider", "weights of another architecture|weights that cannot be read"),
        ("model.safetensors", None, r"no \*\.safetensors; expected such weights, pickled ones are not read"),
        ("model.safetensors", b"half a fi", "weights that cannot be read"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes | str | None, message: str
) -> None:
    file = write_backbone(tmp_path) / name
    if content is None:
        file.rename(tmp_path / "pytorch_model.bin")
    elif content == "wider":
        told = json.loads(file.read_text())
        file.write_text(json.dumps({**told, "hidden_sizes": [8, 24]}))
    else:
        file.write_bytes(content)  # type: ignore[arg-type]
    with pytest.raises(BackboneRefused, match=message):
        adapt(tmp_path)


def test_without_transformers_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    write_backbone(tmp_path)
    monkeypatch.setattr(backbones, "import_module", missing)
    with pytest.raises(BackboneRefused, match="pip install transformers"):
        adapt(tmp_path)
