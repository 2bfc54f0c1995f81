"""The roles of a campaign on code, in cases after judged candidates."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from agents.code.bundles import applied, part_of, reapplied, sites_of
from agents.code.diff import apply_exactly
from agents.code.generations import generate_trajectories
from agents.code.population import BASE, Population
from agents.code.suspicion import suspicions
from agents.code.transformations.constants import find_constants, space
from agents.historians.code_chronicler import code_chronicler
from agents.proposers.constants import constants, trials
from agents.proposers.lint_fixes import lint_fixes
from agents.proposers.recombine_code import recombine_code
from agents.proposers.refine import bundle_size, refine
from agents.proposers.revise import revise
from agents.proposers.rewrite import rewrite
from agents.roles import Case
from agents.supervisors.gatekeeper import gatekeeper
from agents.testing import (
    CodeProposerContract,
    CodeVoterContract,
    ScriptedModel,
    example_code_case,
    example_kit,
)
from agents.testing.cases import on_the_table
from agents.testing.code_cases import FILES, MemoryPatches, example_candidate, judged
from agents.voters.change import change_novelty, change_size, operator_record
from core.errors import PatchError
from core.records import Experiment, Proposal
from search.space import Space


def run(call: Any) -> Any:
    return asyncio.run(call)


def population_of(case: Case) -> Population:
    assert case.population is not None
    return case.population


def parts(*places: int) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files with some of the known sites changed, by their places in the list of all, and these as parts."""
    sites = [site for path, text in FILES.items() for site in sites_of(path, text)]
    files, done = applied(FILES, [sites[i] for i in places])
    return files, tuple(map(part_of, done))


def told(case: Case, *experiments: Experiment) -> Case:
    """The case after some more candidates."""
    assert case.baseline is not None
    history = (*case.history, *experiments)
    population_of(case).catch_up(history, case.baseline.mean, case.baseline.noise_sd)
    return replace(case, history=history)


class TestRefine(CodeProposerContract):
    make = staticmethod(refine)


class TestRevise(CodeProposerContract):
    make = staticmethod(revise)


class TestRecombine(CodeProposerContract):
    make = staticmethod(recombine_code)


class TestConstants(CodeProposerContract):
    make = staticmethod(constants)

    def test_moves_only_marked_constants_of_the_best(self) -> None:
        case = example_code_case(1.2)
        population = population_of(case)
        marked = {**FILES, "shop/extra.py": "CHUNK = 64  # tunable: 8..512 log\n"}
        case = told(case, judged(population, marked, 1.4, number=7))
        (made,) = run(constants()(case, example_kit()))
        after = population.tree(population.changed_of(made))
        assert {path: text for path, text in after.items() if path != "shop/extra.py"} == FILES
        assert after["shop/extra.py"] != marked["shop/extra.py"]
        assert after["shop/extra.py"].endswith("  # tunable: 8..512 log\n")

    def test_what_constants_brought_is_learned_whatever_the_structure(self) -> None:
        case = example_code_case()
        campaign = case.campaign
        assert campaign.code is not None
        base = {**FILES, "shop/extra.py": "CHUNK = 64  # tunable: 8..512 log\n"}
        population = Population(base, campaign.code, MemoryPatches())
        case = replace(case, population=population)
        values = [8, 16, 128, 256, 512, 32]
        for number, value in enumerate(values):
            files = {**base, "shop/extra.py": f"CHUNK = {value}  # tunable: 8..512 log\n"}
            score = 2.0 - abs(math.log(value / 200)) / 2
            case = told(case, judged(population, files, score, operator="tuning", number=number))
        numbers = Space.model_validate(space(find_constants(base)))
        known = {t.config["CHUNK"]: t.value for t in trials(population, numbers)}
        assert known[64] == 0.0
        assert max(known, key=lambda v: known[v] or 0.0) == 256
        (made,) = run(constants()(case, example_kit()))
        (changed,) = population.changed_of(made).values()
        assert changed is not None
        assert 90 < int(changed.split()[2]) < 450
        assert "CHUNK 256 → " in made.rationale


class TestLintFixes(CodeProposerContract):
    make = staticmethod(lint_fixes)


class TestRewriteByRules(CodeProposerContract):
    make = staticmethod(rewrite)


class TestOperatorRecord(CodeVoterContract):
    make = staticmethod(operator_record)


class TestChangeSize(CodeVoterContract):
    make = staticmethod(change_size)


class TestChangeNovelty(CodeVoterContract):
    make = staticmethod(change_novelty)


def test_refinement_goes_on_from_the_best_and_leaves_out_what_failed() -> None:
    case = example_code_case(1.3, None)
    population = population_of(case)
    best = population.elites()[0]
    made = run(refine(count=3)(case, example_kit(seed=1)))
    assert made
    assert made[0].parents == (best.id,)
    assert set(best.parts) < set(made[0].parts)
    assert not set(population.guilty) & {part for p in made for part in p.parts}


def test_bundles_grow_with_success_and_shrink_with_failure() -> None:
    case = example_code_case()
    population = population_of(case)
    assert bundle_size(population, 2, 8) == 2
    files, names = parts(0, 1)
    case = told(case, judged(population, files, 1.1, parts=names, number=1))
    assert bundle_size(population, 2, 8) == 4
    files, names = parts(2, 3, 4)
    told(case, judged(population, files, None, parts=names, number=2))
    assert bundle_size(population, 2, 8) == 1


def test_a_refused_candidate_is_halved_until_the_guilty_part_is_known() -> None:
    case = example_code_case()
    files, names = parts(0, 1, 2, 4)
    guilty = names[1]
    case = told(case, judged(population_of(case), files, None, parts=names, number=100))
    asked: list[Proposal] = []
    for number in range(12):
        made: Sequence[Proposal] = run(revise(count=2)(case, example_kit()))
        if not made:
            break
        asked += made
        population = population_of(case)
        case = told(
            case,
            *(
                judged(
                    population,
                    population.tree(population.changed_of(p)),
                    None if guilty in p.parts else 1.1,
                    parts=p.parts,
                    parents=p.parents,
                    operator=p.operator,
                    number=10 * number + i,
                )
                for i, p in enumerate(made)
            ),
        )
    population = population_of(case)
    assert set(population.guilty) == {guilty}
    assert set(names) - {guilty} == {part for m in population.elites() for part in m.parts}
    assert len(asked) <= 6


def test_what_a_model_wrote_is_bisected_between_its_statements() -> None:
    case = example_code_case()
    edits = {
        "seen = []": "seen = set()",
        "seen.append(name)": "seen.add(name)",
        "return result\n\n\ndef words": "return BAD\n\n\ndef words",
        "found = []": "found = list()",
        'text = ""\n': "text = str()\n",
        "import re\n": "import re\nfrom functools import reduce\n",
        "    return found": "    return reduce(list.__add__, [found], [])",
    }
    after = dict(FILES)
    for old, new in edits.items():
        (path,) = (path for path, text in FILES.items() if old in text)
        after[path] = after[path].replace(old, new)
    case = told(case, judged(population_of(case), after, None, proposer="rewrite", number=100))
    asked: list[str] = []
    for number in range(12):
        made: Sequence[Proposal] = run(revise(count=2)(case, example_kit()))
        if not made:
            break
        population = population_of(case)
        for i, proposal in enumerate(made):
            files = population.tree(population.changed_of(proposal))
            asked.append(files["shop/stock.py"] + files["shop/totals.py"])
            assert "reduce(" not in asked[-1] or "import reduce" in asked[-1], "a part without what it needs"
            score = None if "BAD" in asked[-1] else 1.1
            told_of = judged(
                population, files, score, parents=proposal.parents, operator=proposal.operator,
                proposer="revise", number=10 * number + i,
            )  # fmt: skip
            case = told(case, told_of)
    assert 1 < len(asked) <= 8
    whole = [population_of(case).files(one.id) for one in population_of(case).elites()]
    good = {**after, "shop/stock.py": after["shop/stock.py"].replace("return BAD", "return result")}
    assert good in whole


def test_recombination_merges_what_two_elites_changed() -> None:
    case = example_code_case()
    population = population_of(case)
    one, ones = parts(1)
    two, twos = parts(4)
    case = told(
        case,
        judged(population, one, 1.3, parts=ones, number=1),
        judged(population, two, 1.2, parts=twos, operator="other", number=2),
    )
    (made,) = run(recombine_code()(case, example_kit()))
    merged = population.tree(population.changed_of(made))
    assert merged == {**one, "shop/totals.py": two["shop/totals.py"]}
    assert set(made.parts) == {*ones, *twos}
    assert len(made.parents) == 2


def test_parts_are_found_again_in_other_files() -> None:
    files, names = parts(1, 4)
    again, found = reapplied(FILES, reversed(names))
    assert again == files
    assert set(found) == set(names)
    assert reapplied({"other.py": "x = 1\n"}, names) == ({"other.py": "x = 1\n"}, [])


EDIT = {"path": "shop/stock.py", "search": "    seen = []\n", "replace": "    seen = list()\n"}


def test_a_model_writes_a_candidate() -> None:
    case = example_code_case(1.1)
    model = ScriptedModel({"proposer/rewrite": {"reason": "another list", "edits": [EDIT]}})
    (made,) = run(rewrite()(case, example_kit(model=model)))
    population = population_of(case)
    assert (made.source, made.rationale, made.proposer) == ("model", "another list", "rewrite")
    assert "seen = list()" in population.tree(population.changed_of(made))["shop/stock.py"]
    assert made.parents == (population.elites()[0].id,)
    (prompt,) = model.asked
    assert "def unique" in prompt.user
    assert "70% of the time" in prompt.user


def test_without_a_usable_answer_the_rules_refine_and_say_so() -> None:
    bad = {"path": "tests/test_shop.py", "search": "", "replace": "def test_all():\n    pass\n"}
    model = ScriptedModel({"proposer/rewrite": {"reason": "no tests, no failures", "edits": [bad]}}, repairs=0)
    (made,) = run(rewrite()(example_code_case(), example_kit(model=model)))
    assert (made.source, made.proposer, made.operator) == ("rules", "rewrite", "refinement")
    assert "refine: " in made.rationale
    assert any("tests/test_shop.py" in fault for fault in model.faults)


def rule(case: Case, proposal: Proposal) -> Any:
    return run(gatekeeper()(proposal, on_the_table(case, [proposal]), example_kit()))


def test_the_gatekeeper_lets_an_honest_candidate_pass() -> None:
    case = example_code_case(1.1)
    assert rule(case, example_candidate(case)).decision == "accept"


@pytest.mark.parametrize(
    ("path", "text", "gate"),
    [
        ("shop/extra.py", "def broken(:\n", "syntax"),
        ("tests/test_shop.py", "x = 1\n", "paths"),
        ("other/place.py", "x = 1\n", "paths"),
        ("shop/extra.py", "import pytest\n", "tampering"),
        ("shop/extra.py", "import time\ntime.perf_counter = lambda: 0.0\n", "tampering"),
        ("shop/extra.py", "import os\nos._exit(0)\n", "tampering"),
        ("shop/extra.py", "exec('x = 1')\n", "tampering"),
    ],
)
def test_the_gatekeeper_refuses_by_name(path: str, text: str, gate: str) -> None:
    case = example_code_case()
    population = population_of(case)
    proposal = judged(population, {**FILES, path: text}, None).proposal
    ruling = rule(case, proposal)
    assert (ruling.decision, ruling.rule) == ("reject", gate)


def test_what_was_judged_before_is_not_judged_again_whatever_its_layout() -> None:
    case = example_code_case()
    population = population_of(case)
    files, names = parts(1)
    case = told(case, judged(population, files, 1.1, parts=names))
    commented = {path: f"# a remark\n\n{text}" for path, text in files.items()}
    assert population.is_known(commented)
    assert case.propose_code("x", commented, "again", operator="x") is None
    same = judged(population, commented, None).proposal
    assert rule(case, same).rule == "repeat"
    assert run(change_novelty()(same, case, example_kit())).score == -1


def test_what_stood_in_the_base_already_is_no_suspicion() -> None:
    assert suspicions({"a.py": "import pickle\n"}, {"a.py": "import pickle\nx = 1\n"}) == []
    assert suspicions({"a.py": ""}, {"a.py": "import pickle\n", "b.txt": "import pytest"}) == ["a.py imports pickle"]


def test_lessons_name_what_fails_and_what_pays() -> None:
    case = example_code_case()
    population = population_of(case)
    files, (name,) = parts(1)
    other, (second,) = parts(4)
    pays = judged(population, files, 1.5, parts=(name,), number=1)
    fails = judged(population, other, None, parts=(second,), number=2)
    both = judged(population, parts(0, 2)[0], 1.5, parts=parts(0, 2)[1], number=3)
    lessons = run(code_chronicler()([pays, fails, both], case, example_kit()))
    kinds = {lesson.kind: lesson.text for lesson in lessons}
    assert len(lessons) == 2
    assert "1.49 times as fast" in kinds["pattern"]
    assert "2 of 9 tests failed" in kinds["constraint"]


def test_a_file_that_is_not_safe_is_no_candidate() -> None:
    with pytest.raises(PatchError):
        example_code_case().propose_code("x", {**FILES, "../evil.py": "x = 1\n"}, "out", operator="x")


def test_the_time_of_a_candidate_is_known_from_its_nearest_profile() -> None:
    case = example_code_case(1.2)
    population = population_of(case)
    (member,) = population.members.values()
    assert population.heat(BASE, "shop/stock.py", "unique") == 0.7
    assert population.heat(member.id, "shop/stock.py", "unique") == 0.7
    population.tell_profile(member.id, {"shop/stock.py:unique": 0.1})
    assert population.heat(member.id, "shop/stock.py", "unique") == 0.1
    assert population.heat(member.id, "shop/totals.py", "report") == 0.0


def test_a_generation_is_what_the_operators_make() -> None:
    case = example_code_case(1.2, None)
    made = run(generate_trajectories(case, example_kit(seed=2), {"refinement": refine(), "revision": revise()}))
    assert made
    for trajectory in made:
        assert trajectory.success_score == 0.0
        assert trajectory.test_results is None
        assert apply_exactly(FILES, trajectory.code_changes) != FILES
        assert trajectory.parents
        assert trajectory.steps


def test_a_model_revises_what_was_refused_and_is_told_why() -> None:
    case = example_code_case(None)
    model = ScriptedModel({"proposer/revise": {"reason": "a list is enough", "edits": [EDIT]}})
    (made,) = run(rewrite("revision")(case, example_kit(model=model)))
    (refused,) = population_of(case).members.values()
    assert (made.operator, made.parents) == ("revision", (BASE, refused.id))
    (prompt,) = model.asked
    assert "tests: 2 of 9 tests failed" in prompt.user
    assert "+++ b/shop/stock.py" in prompt.user


def test_a_model_recombines_two_elites() -> None:
    case = example_code_case(1.0, 1.1, seed=1)
    model = ScriptedModel({"proposer/recombine": {"reason": "both", "edits": [EDIT]}})
    (made,) = run(rewrite("recombination")(case, example_kit(model=model)))
    assert made.operator == "recombination"
    assert set(made.parents) == {member.id for member in population_of(case).elites()}


def test_by_turns_every_operator_of_the_model_has_its_cycle() -> None:
    case = example_code_case(1.0, 1.1, None, seed=1)
    answer = {"reason": "x", "edits": [EDIT]}
    asked = set()
    for cycle in range(3):
        model = ScriptedModel(dict.fromkeys(("proposer/rewrite", "proposer/revise", "proposer/recombine"), answer))
        run(rewrite()(replace(case, cycle=cycle), example_kit(model=model)))
        asked |= {prompt.name for prompt in model.asked}
    assert asked == {"proposer/rewrite", "proposer/revise", "proposer/recombine"}


def test_a_simple_task_takes_the_cheap_path_until_that_brings_nothing() -> None:
    campaign = example_code_case().campaign
    assert campaign.code is not None
    one = {"shop/stock.py": FILES["shop/stock.py"]}
    case = replace(example_code_case(), population=Population(one, campaign.code, MemoryPatches()))
    model = ScriptedModel({"proposer/rewrite": {"reason": "x", "edits": [EDIT]}})
    assert run(rewrite("refinement")(case, example_kit(model=model))) == []
    assert model.asked == []
    for number in range(3):
        files = {"shop/stock.py": one["shop/stock.py"] + f"\n\nTRY = {number}\n"}
        case = told(case, judged(population_of(case), files, 1.0, number=number))
    assert len(run(rewrite("refinement")(case, example_kit(model=model)))) == 1
