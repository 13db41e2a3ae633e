"""From a batch file to its cells: portfolio, site, scenario and settings, each with the task that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from planner.batch.draws import SAMPLE_NAME, sampled_future
from planner.batch.file import ALL, EACH, MAX_UNITS, BatchFile, SettingsEntry
from planner.batch.memory import Predictions
from planner.batch.task import TOGETHER, Settings, Task, code_digest, digest, references
from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.scenarios.apply import Documents, for_site
from sites.scenarios.futures import load_futures
from sites.world import gather_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planner.batch.store import Store
    from sites.inputs import InputFile
    from sites.loading import Document
    from sites.scenarios.apply import Resolved
    from sites.scenarios.futures import Future


@dataclass(frozen=True)
class Cell:
    """One unit of the batch by its names; cells that are made from the same content share a task."""

    portfolio: str
    site: str
    """Name of a site planned for itself, or `all`."""
    scenario: str
    settings: str
    key: str


@dataclass(frozen=True)
class Group:
    """Samples that are solved together, and the input that they are samples of."""

    base: str
    """Key of its task."""
    members: tuple[str, ...]


@dataclass
class Plan:
    """Everything that a batch is to compute."""

    name: str
    cells: list[Cell] = field(default_factory=list)
    """In order of the file: portfolios, settings, scenarios, sites."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """By key, those that groups only learn from included."""
    predicted_bytes: dict[str, int] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    scenarios: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    """By portfolio and scenario, what each override changes."""


@dataclass(frozen=True)
class _Portfolio:
    name: str
    documents: Documents
    sites: tuple[str, ...]


@dataclass(frozen=True)
class _Wish:
    """One cell before its files are known."""

    portfolio: _Portfolio
    site: str
    scenario: Future
    """With what it draws, where it is a sample."""
    settings: SettingsEntry
    origin: Future
    """What it is a sample of; else the scenario itself."""
    sample: int | None = None


def plan_batch(
    document: Document[BatchFile], store: Store, *, verify: bool, told: Callable[[int], None] = lambda _: None
) -> Plan:
    """Resolve every scenario, put all input files into the store, and key every task.

    Parameters: document, the batch file; store; verify, whether plans are checked; told, called with the number of
    units keyed so far. Raises InputError with every fault
    of the batch file, of scenarios that do not apply to a portfolio, and of portfolios; faults of a site are its own.
    """
    return _Planner(document, store, told, verify=verify).plan()


class _Planner:
    def __init__(
        self, document: Document[BatchFile], store: Store, told: Callable[[int], None], *, verify: bool
    ) -> None:  # fmt: skip
        self._document, self._batch, self._store, self._verify = document, document.value, store, verify
        self._folder = Path(document.file).parent
        self._resolved: dict[tuple[str, str], Resolved] = {}
        self._predictions = Predictions()
        self._predicted: dict[tuple[str, ...], int] = {}
        self._of_origin: dict[tuple[str, str, str], int] = {}
        self._told = told
        self._result = Plan(self._batch.name)

    def plan(self) -> Plan:
        grouped: dict[tuple[str, str, str, str, int], list[tuple[_Wish, Task]]] = {}
        samples = self._batch.samples
        for number, wish in enumerate(self._wishes()):
            self._told(number)
            task = self._task(wish)
            if wish.sample is None or samples is None or not samples.together:
                self._cell(wish, task)
                continue
            block = wish.sample // samples.together
            place = (wish.portfolio.name, wish.settings.name, wish.origin.name, wish.site, block)
            grouped.setdefault(place, []).append((wish, task))
        for members in grouped.values():
            self._group(members)
        return self._result

    def _wishes(self) -> Iterator[_Wish]:
        portfolios = self._portfolios()
        futures = load_futures(self._batch.scenario_files, self._folder)
        if self._batch.combination == "list":
            yield from self._listed(portfolios, futures)
            return
        numbers: Sequence[int | None] = range(self._batch.samples.n) if self._batch.samples else [None]
        self._refuse_unknown_sites(portfolios.values())
        chosen = self._chosen(futures)
        n_cells = sum(len(self._sites(one)) for one in portfolios.values()) * len(self._batch.settings) * len(chosen)
        if n_cells * len(numbers) > MAX_UNITS:
            message = f"found {n_cells * len(numbers):,} units; at most {MAX_UNITS:,} are allowed, split the batch"
            raise InputError([self._document.fault(message)])
        for portfolio in portfolios.values():
            for settings in self._batch.settings:
                for future in chosen:
                    for number in numbers:
                        drawn = self._drawn(future, number)
                        for site in self._sites(portfolio):
                            yield _Wish(portfolio, site, drawn, settings, future, number)

    def _drawn(self, future: Future, number: int | None) -> Future:
        samples = self._batch.samples
        return future if number is None or samples is None else sampled_future(future, samples, number)

    def _portfolios(self) -> dict[str, _Portfolio]:
        """By the text that the batch names them by."""
        found: dict[str, _Portfolio] = {}
        for index, source in enumerate(self._batch.portfolios):
            path = source if _is_name(source) else str(self._folder / source)
            files = gather_files(path)
            [portfolio] = [file for file in files if file.role == "portfolio"]
            documents = Documents(files)
            name = documents.value(portfolio)["name"]
            if name in {one.name for one in found.values()}:
                message = f"portfolio '{name}' stands here a second time; name each once"
                raise InputError([self._document.fault(message, "portfolios", index)])
            sites = tuple(PurePosixPath(file.name).stem for file in files if file.role == "site")
            found[source] = _Portfolio(name, documents, sites)
        return found

    def _sites(self, portfolio: _Portfolio) -> Sequence[str]:
        wanted = self._batch.sites
        if wanted == ALL:
            return (ALL,)
        if wanted == EACH:
            return portfolio.sites
        here = [name for name in dict.fromkeys(wanted) if name in portfolio.sites]
        if not here:
            message = f"portfolio '{portfolio.name}': {unknown('site', wanted[0], portfolio.sites)}"
            raise InputError([self._document.fault(message, "sites")])
        return here

    def _refuse_unknown_sites(self, portfolios: Iterable[_Portfolio]) -> None:
        """A site may stand in some portfolios of the batch only, but in one at the least."""
        if isinstance(self._batch.sites, str):
            return
        known = dict.fromkeys(name for one in portfolios for name in one.sites)
        faults = [
            self._document.fault(unknown("site", name, known), "sites", index)
            for index, name in enumerate(self._batch.sites)
            if name not in known
        ]
        if faults:
            raise InputError(faults)

    def _chosen(self, futures: dict[str, Future]) -> list[Future]:
        if self._batch.samples is not None:
            self._refuse_names_of_samples(futures)
        if self._batch.scenarios == "all":
            return list(futures.values())
        faults = [
            self._document.fault(unknown("scenario", name, futures), "scenarios", index)
            for index, name in enumerate(self._batch.scenarios)
            if name not in futures
        ]
        if faults:
            raise InputError(faults)
        return [futures[name] for name in dict.fromkeys(self._batch.scenarios)]

    def _refuse_names_of_samples(self, futures: dict[str, Future]) -> None:
        """Two cells of one name would be told apart by nobody."""
        for name in futures:
            if any(name != other and SAMPLE_NAME.fullmatch(name.removeprefix(other)) for other in futures):
                message = f"scenario '{name}' has the name of a sample; rename it, or leave out 'samples'"
                raise InputError([self._document.fault(message, "samples")])

    def _listed(self, portfolios: dict[str, _Portfolio], futures: dict[str, Future]) -> Iterator[_Wish]:
        settings = {one.name: one for one in self._batch.settings}
        faults: list[Fault] = []
        for index, unit in enumerate(self._batch.units):
            source = unit.portfolio or self._batch.portfolios[0]
            name = unit.settings or self._batch.settings[0].name
            sites = (ALL, *portfolios[source].sites) if source in portfolios else (unit.site,)
            known = (
                ("portfolio", source, portfolios), ("site", unit.site, sites), ("scenario", unit.scenario, futures),
                ("settings", name, settings),
            )  # fmt: skip
            wrong = [(key, text, names) for key, text, names in known if text not in names]
            faults += [
                self._document.fault(unknown(what, text, names), "units", index, what) for what, text, names in wrong
            ]
            if not wrong:
                future = futures[unit.scenario]
                yield _Wish(portfolios[source], unit.site, future, settings[name], future)
        if faults:
            raise InputError(faults)

    def _files(self, portfolio: _Portfolio, future: Future) -> Resolved:
        """A portfolio's files under a scenario, put into the store; kept for the sites that come next."""
        place = (portfolio.name, future.name)
        if place not in self._resolved:
            self._resolved.clear()
            resolved = portfolio.documents.under(future)
            self._store.put_inputs(resolved.files)
            self._resolved[place] = resolved
            told = [
                {"from": one.inherited.origin, "path": one.inherited.override.path, "said": one.said,
                 "changes": [[c.file, c.place, c.before, c.after] for c in one.changes]}
                for one in resolved.applied
            ]  # fmt: skip
            self._result.scenarios.setdefault(portfolio.name, {})[future.name] = told
        return self._resolved[place]

    def _task(self, wish: _Wish) -> Task:
        files: Sequence[InputFile] = self._files(wish.portfolio, wish.scenario).files
        if wish.site != ALL:
            files = for_site(files, wish.site)
            self._store.put_inputs(files)
        entry = wish.settings
        gap = None if entry.gap is None else float(entry.gap)
        settings = Settings(entry.backend, entry.seed, entry.work_limit, gap, self._verify)
        task = Task(references(files), settings, code_digest())
        self._predicted[_inputs_of(task)] = self._prediction(wish, files)
        return task

    def _prediction(self, wish: _Wish, files: Sequence[InputFile]) -> int:
        """Memory of a unit; that of a sample is taken to be that of the scenario it is a sample of."""
        if wish.sample is None:
            return self._predictions.of(files)
        place = (wish.portfolio.name, wish.origin.name, wish.site)
        if place not in self._of_origin:
            origin: Sequence[InputFile] = wish.portfolio.documents.under(wish.origin).files
            self._of_origin[place] = self._predictions.of(origin if wish.site == ALL else for_site(origin, wish.site))
        return self._of_origin[place]

    def _hold(self, task: Task, predicted: int) -> None:
        self._result.tasks.setdefault(task.key, task)
        self._result.predicted_bytes.setdefault(task.key, predicted)

    def _cell(self, wish: _Wish, task: Task) -> None:
        self._hold(task, self._predicted[_inputs_of(task)])
        names = wish.portfolio.name, wish.site, wish.scenario.name, wish.settings.name
        self._result.cells.append(Cell(*names, task.key))

    def _group(self, members: list[tuple[_Wish, Task]]) -> None:
        """Key samples by all that they are solved together with, and note the cells."""
        samples = self._batch.samples
        assert samples is not None
        first = members[0][0]
        base = self._task(replace(first, scenario=first.origin))
        self._hold(base, self._predicted[_inputs_of(base)])
        together = digest([base.key, samples.verify_every, *(task.key for _, task in members)])
        keys: list[str] = []
        for wish, alone in members:
            full = wish.sample is not None and wish.sample % samples.verify_every == 0
            task = replace(alone, method=TOGETHER, group=together, in_full=full)
            self._cell(wish, task)
            keys.append(task.key)
        self._result.groups.append(Group(base.key, tuple(dict.fromkeys(keys))))


def _inputs_of(task: Task) -> tuple[str, ...]:
    return tuple(one.sha256 for one in task.inputs)


def _is_name(source: str) -> bool:
    return "/" not in source and not source.endswith((".yaml", ".yml"))
