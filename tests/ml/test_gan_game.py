"""Each recipe teaches both nets; what is paired, penalised and averaged is what the recipe says."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ml.gan import GanConfig
from ml.gan_game import RECIPES, Batch, Game, Recipe

CPU = torch.device("cpu")


def a_game(recipe: Recipe, **more: object) -> Game:
    torch.manual_seed(1)
    config = GanConfig(32, recipe.network, 8, 4, critic_norm=recipe.critic_norm, embedding=6)
    return Game(replace(config, **more), recipe, CPU)


def batches(count: int, embedding: int = 0) -> list[Batch]:
    torch.manual_seed(2)
    asked = F.normalize(torch.randn(8, embedding), dim=1) if embedding else None
    return [(torch.rand(8, 3, 32, 32) * 2 - 1, asked) for _ in range(count)]


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("name", list(RECIPES))
def test_each_recipe_teaches_both_and_tells_its_figures(name: str) -> None:
    recipe = RECIPES[name]
    game = a_game(recipe)
    before = {key: value.clone() for key, value in game.nets().state_dict().items()}
    told = game.play(batches(recipe.critics), rng(), steps=recipe.lazily - 1)
    after = game.nets().state_dict()
    for net in ("generator", "critic", "averaged"):
        assert any(not torch.equal(before[key], after[key]) for key in after if key.startswith(net))
    assert all(torch.isfinite(value) for value in told.values())
    expected = {"loss/critic", "loss/generator", "D(real)", "D(fake)", "fakes taken for real"}
    assert expected <= told.keys()
    assert {"gradient norm/critic", "gradient norm/generator"} <= told.keys()
    assert ("loss/penalty" in told) == bool(recipe.slope or recipe.gamma)
    assert all(0 <= told[each] <= 1 for each in ("D(real)", "D(fake)", "fakes taken for real"))


def test_a_lazy_penalty_comes_at_each_so_many_th_step_and_weighs_as_much_more() -> None:
    recipe = replace(RECIPES["modern"], penalised=1.0)
    lazy, eager = (a_game(replace(recipe, lazily=often)) for often in (4, 1))
    penalised = ["loss/penalty" in lazy.play(batches(1), rng(), steps=steps) for steps in range(8)]
    assert [step for step, each in enumerate(penalised) if each] == [3, 7]
    lazy = a_game(replace(recipe, lazily=4))
    told, often = (game.play(batches(1), rng(), steps=3)["loss/penalty"] for game in (lazy, eager))
    assert torch.isclose(told, 4 * often)


def test_a_smooth_beginning_dreams_without_a_chessboard() -> None:
    """Neighbouring pixels differ less, by how much pixels differ at all."""

    def coarseness(smooth: bool) -> float:
        game = a_game(replace(RECIPES["modern"], smooth=smooth), width=8)
        with torch.no_grad():
            dreamt = game.generator(torch.randn(64, 8, generator=rng()))
        return dreamt.diff(dim=3).abs().mean().item() / dreamt.std().item()

    assert coarseness(smooth=True) < 0.6 * coarseness(smooth=False)


def test_the_critic_has_so_many_turns_to_one_of_the_generator() -> None:
    game = a_game(RECIPES["wgan-gp"])
    game.play(batches(5), rng())
    for name, turns in (("critic", 5), ("generator", 1)):
        steps = [state["step"].item() for state in game.optimisers[name].state.values()]
        assert set(steps) == {turns}


def test_wgan_s_weights_stay_clipped() -> None:
    game = a_game(RECIPES["wgan"])
    game.play(batches(5), rng())
    assert max(each.abs().max().item() for each in game.critic.parameters()) <= 0.01 + 1e-9


def test_the_critic_learns_to_tell_photos_from_dreams() -> None:
    game = a_game(RECIPES["modern"])
    game.optimisers["generator"].param_groups[0]["params"] = []  # which stands still
    told = [game.play(batches(1), rng()) for _ in range(30)]
    assert told[-1]["fakes taken for real"] < 0.2
    assert told[-1]["loss/critic"] < told[0]["loss/critic"]


def test_dreams_that_are_asked_for_come_near_their_photos() -> None:
    game = a_game(RECIPES["modern"], condition="embedding")
    shown = batches(1, embedding=6)
    told = [game.play(shown, rng())["loss/likeness"].item() for _ in range(25)]
    assert told[-1] < 0.85 * told[0]
    nothing = [(shown[0][0], torch.zeros(8, 6))]
    assert game.play(nothing, rng())["loss/likeness"] == 0


def test_the_average_follows_slowly_once_it_is_old() -> None:
    game = a_game(RECIPES["dcgan"])
    game.average = 0.9
    name = "body.0.weight"
    game.play(batches(1), rng(), steps=0)
    start = game.averaged.state_dict()[name].clone()
    game.play(batches(1), rng(), steps=100_000)
    now = game.generator.state_dict()[name]
    assert torch.allclose(game.averaged.state_dict()[name], torch.lerp(start, now, 0.1), atol=1e-6)


def test_rates_fall_where_the_recipe_says() -> None:
    steady = RECIPES["dcgan"]
    falling = replace(steady, decay=True)
    assert [round(falling.rate_at(at), 2) for at in (0, 0.3, 0.5, 1)] == [1, 1, 0.75, 0.1]
    assert {steady.rate_at(at) for at in (0, 0.5, 1)} == {1}
    game = a_game(falling)
    game.play(batches(1), rng(), progress=0.5)
    assert game.optimisers["critic"].param_groups[0]["lr"] == pytest.approx(0.75 * falling.rate)
