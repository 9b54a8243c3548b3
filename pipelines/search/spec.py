"""The spec of a search: what is searched for, with what, and within which budget.

Loaded strictly from YAML; paths in it are relative to the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.config import build, load_yaml
from curation.errors import UserError
from mixtures.methods.method import SearchMethod, methods
from pipelines.judge import Judge, load_judge
from pipelines.mixture_spec import check_by
from pipelines.prepare import sized
from pipelines.recipe import Recipe, load_recipe
from pipelines.search.keys import Budget, Confirm, Constraints, Keys, Proxy
from pipelines.search.objective import Target, read_objective
from train.config import Preset


@dataclass(frozen=True, kw_only=True)
class SearchSpec:
    """A loaded spec.

    Attributes:
        file: where it was read.
        raw: its content.
        recipe: whose dataset is searched; its own mixture plays no part.
        judge: with its file.
        by: column whose values are the domains.
        method: with its parameters.
        targets: what is minimised, with their weights.
        sizes: proxies, ascending.
        target: the run that the mixture is for.
        confirmed: the size of the confirmation.
        seeds: of training: proxies have the first; natural has all, for the noise floor.
        seed: of what the method draws.
    """

    file: Path
    raw: dict[str, Any]
    recipe: Recipe
    judge: Judge
    judge_file: Path
    by: str
    method: SearchMethod
    budget: Budget
    proxy: Proxy
    targets: tuple[Target, ...]
    constraints: Constraints
    sizes: tuple[Preset, ...]
    target: Preset
    confirm: Confirm
    confirmed: Preset
    seeds: tuple[int, ...]
    seed: int

    @property
    def described_method(self) -> dict[str, Any]:
        """Name, parameters and reference, as JSON."""
        method = self.method
        return {"name": method.name, "reference": method.reference, "parameters": asdict(method)}


def load_spec(file: Path) -> SearchSpec:
    """The spec in a YAML file.

    Raises:
        UserError: anything in it, its recipe or its judge is wrong; nothing has run.
    """
    raw = load_yaml(file)
    keys = build(Keys, raw, where=str(file), label="search")
    recipe = load_recipe(file.parent / keys.recipe)
    check_by(keys.domains, recipe.stages, f"{file}: domains")
    judge_file = file.parent / keys.judge if keys.judge else recipe.judge
    if judge_file is None:
        raise UserError(
            "neither the search nor its recipe names a judge",
            where=f"{file}: judge",
            hint="Add `judge: judge.yaml`: panels, tokenizer and training that score mixtures.",
        )
    judge = load_judge(judge_file)
    sizes, confirmed, target = _sizes(keys, judge, file)
    return SearchSpec(
        file=file,
        raw=raw,
        recipe=replace(recipe, judge=judge_file),
        judge=judge,
        judge_file=judge_file,
        by=keys.domains,
        method=_method(keys.method, f"{file}: method"),
        budget=keys.budget,
        proxy=keys.proxy,
        targets=read_objective(keys.objective, judge, judge_file, f"{file}: objective"),
        constraints=keys.constraints,
        sizes=sizes,
        target=target,
        confirm=keys.confirm,
        confirmed=confirmed,
        seeds=keys.seeds,
        seed=keys.seed,
    )


def _method(entry: Any, where: str) -> SearchMethod:
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        hint = f"For example `method: regmix`; known: {', '.join(methods)}"
        raise UserError("a method is a name, or {name: parameters}", where=where, hint=hint)
    name, parameters = next(iter(entry.items()))
    try:
        cls = methods.get(str(name))
    except UserError as error:
        raise error.at(where) from None
    return build(cls, parameters or {}, where=f"{where}.{name}", label=str(name))


def _sizes(keys: Keys, judge: Judge, file: Path) -> tuple[tuple[Preset, ...], Preset, Preset]:
    """Proxies, the confirmation's size and the target, all with the judge's vocabulary."""
    tokens, lr_scale = keys.budget.tokens, keys.proxy.lr_scale
    sizes = tuple(_sized(judge, name, tokens, lr_scale) for name in keys.proxy.presets)
    params = [size.model.params for size in sizes]
    if params != sorted(params):
        what = f"presets must be ascending in parameters. Got {list(keys.proxy.presets)}."
        raise UserError(what, where=f"{file}: proxy.presets")
    goal = sized(judge)
    target = _sized(judge, keys.target.preset or goal.name, keys.target.tokens or goal.train.tokens)
    confirm = keys.confirm
    confirmed = _sized(judge, confirm.preset or sizes[-1].name, confirm.tokens or tokens)
    for where, size in (*(("budget", s) for s in sizes), ("confirm", confirmed)):
        _check_tokens(size, target, f"{file}: {where}.tokens")
    return sizes, confirmed, target


def _sized(judge: Judge, name: str, tokens: int, lr_scale: float = 1.0) -> Preset:
    """A preset as the judge would train it, at `lr_scale` times its learning rates."""
    rate = judge.train.lr_scale * lr_scale
    return sized(
        replace(judge, train=replace(judge.train, preset=name, tokens=tokens, lr_scale=rate))
    )


def _check_tokens(size: Preset, target: Preset, where: str) -> None:
    if size.train.tokens < size.train.batch_tokens:
        raise UserError(
            f"{size.train.tokens:,} tokens are less than a step of preset {size.name}",
            where=where,
            hint=f"Give at least {size.train.batch_tokens:,}; steps that teach are hundreds.",
        )
    if size.train.tokens > target.train.tokens:
        raise UserError(
            f"{size.train.tokens:,} tokens are more than the target's {target.train.tokens:,}",
            where=where,
            hint="Set `target: {preset, tokens}` to the run that the mixture is for.",
        )
