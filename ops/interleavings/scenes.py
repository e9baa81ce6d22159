"""A scene: what some people do at once with the same rows, and what must be so afterwards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.stepping import Act, SteppedOutcome, Stepper

SteppedOutcomes = Mapping[str, SteppedOutcome]
Judge = Callable[[SteppedOutcomes], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class SteppedScene:
    """Acts by name, and who says afterwards what is wrong; an empty answer is good."""

    acts: Mapping[str, Act]
    judge: Judge


class SceneMaker(Protocol):
    """Sets up one scene, for the clinic and the dice it was made with."""

    async def set_up(self) -> SteppedScene:
        """Enter what the acts are about, and choose among these."""
        ...


@dataclass(frozen=True)
class Family:
    """Scenes of one kind; `refusals` are what their acts may be refused by."""

    name: str
    compares: str
    maker: Callable[[InterleavedClinic, Random], SceneMaker]
    refusals: frozenset[str]


@dataclass(frozen=True)
class Played:
    """One seed: what was done, how it came out, what is wrong."""

    seed: int
    done: int
    refused: int
    faults: Sequence[str]


async def play(family: Family, clinic: InterleavedClinic, stepper: Stepper, seed: int) -> Played:
    """Set a scene up, step through it, and compare."""
    dice = Random(f"{family.name}/{seed}")  # noqa: S311 - repeatable, nothing secret
    scene = await family.maker(clinic, dice).set_up()
    outcomes = await stepper.run(dice, scene.acts)
    refused = {name: one.refused for name, one in outcomes.items() if one.refused}
    wrong = [f"{name}: {why}" for name, why in refused.items() if why not in family.refusals]
    wrong += await scene.judge(outcomes)
    return Played(seed, len(outcomes) - len(refused), len(refused), wrong)


def some(dice: Random, acts: Mapping[str, Act], number: int) -> dict[str, Act]:
    """So many of these acts, in an order of the dice."""
    return {name: acts[name] for name in dice.sample(sorted(acts), number)}


def was_done(outcomes: SteppedOutcomes, name: str) -> bool:
    """Whether an act was among those of the scene, and was not refused."""
    return name in outcomes and not outcomes[name].refused
