"""Whose step it is: any order of jobs, credits, steps and cancellations keeps the rules of `JobTable`."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ultraandchat.engines.worker_jobs import Job, JobTable
from ultraandchat.engines.worker_wire import Cancel, Credit, Run


@dataclass
class Known:
    """What this test remembers of a job, in its own words."""

    number: int
    background: bool
    credits: int
    begun: bool = False
    cancelled: bool = False
    passed: int = 0
    """Steps of others since this one could have made one."""


class AnyOrder(RuleBasedStateMachine):
    """Jobs come, are read, are cancelled and make steps as they like."""

    @initialize(at_once=st.integers(1, 4))
    def open(self, at_once: int) -> None:
        self.at_once = at_once
        self.table = JobTable(at_once)
        self.alive: dict[int, Known] = {}
        self.count = 0

    @rule(ahead=st.integers(1, 3), background=st.booleans())
    def a_job_comes(self, ahead: int, background: bool) -> None:
        self.count += 1
        self.alive[self.count] = Known(self.count, background, ahead)
        self.table.add(Run(self.count, "count", [], ahead, background))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def a_reader_takes_an_item(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(list(self.alive.values())))
        known.credits += 1
        known.passed = 0 if known.credits == 1 else known.passed
        self.table.credit(Credit(known.number))

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def a_reader_goes(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(list(self.alive.values())))
        over = self.table.cancel(Cancel(known.number))
        assert over == (not known.begun)
        if over:
            del self.alive[known.number]
        known.cancelled = True

    @rule(number=st.integers(1, 30))
    def a_message_comes_too_late(self, number: int) -> None:
        if number not in self.alive:
            self.table.credit(Credit(number))
            assert not self.table.cancel(Cancel(number))

    @rule(item=st.booleans(), last=st.booleans())
    def a_step_is_made(self, item: bool, last: bool) -> None:
        job = self.table.next()
        if job is None:
            self.nothing_could_be_done()
            return
        known = self.alive[job.number]
        if any(one.cancelled and one.begun for one in self.alive.values()):
            assert known.cancelled, "a step was made before a cancelled job was ended"
            self.end(job)
            return
        self.it_was_its_turn(known)
        for other in self.foreground():
            if other.begun and other.credits > 0 and other is not known:
                other.passed += 1
                assert other.passed <= self.at_once - 1, "somebody waited for too long"
        known.passed = 0
        if item:
            job.credits -= 1
            known.credits -= 1
        if last:
            self.end(job)

    def it_was_its_turn(self, known: Known) -> None:
        assert known.credits > 0, "its reader wanted nothing"
        self.begin_as_many_as_may()
        if not known.background:
            assert known.begun, "it was not its turn to begin"
            return
        assert not any(one.begun and one.credits > 0 for one in self.foreground())
        if not known.begun:
            behind = [one for one in self.alive.values() if one.background]
            assert not any(one.begun for one in behind)
            assert known is behind[0], "another one came before"
            assert self.at_once > 1 or not any(one.begun for one in self.foreground())
            known.begun = True

    def begin_as_many_as_may(self) -> None:
        """Those in front that have not ended, unless one in the background must be alone."""
        alone = self.at_once == 1 and any(
            one.begun for one in self.alive.values() if one.background
        )
        for one in self.foreground()[: self.at_once]:
            one.begun = one.begun or not alone

    def nothing_could_be_done(self) -> None:
        self.begin_as_many_as_may()
        begun = [one for one in self.alive.values() if one.begun]
        behind = [one for one in self.alive.values() if one.background]
        free = not any(one.begun for one in behind)
        if behind and free and (self.at_once > 1 or not begun):
            behind[0].begun = True
            begun.append(behind[0])
        assert not any(one.credits > 0 or one.cancelled for one in begun)
        assert begun or not self.alive

    def foreground(self) -> list[Known]:
        return [one for one in self.alive.values() if not one.background]

    def end(self, job: Job) -> None:
        self.table.over(job)
        del self.alive[job.number]

    def teardown(self) -> None:
        """Whatever went before: when all readers read, every job comes to its end."""
        if not hasattr(self, "table"):
            return
        for number in self.alive:
            self.table.credit(Credit(number))
        for _ in range(len(self.alive)):
            job = self.table.next()
            assert job is not None
            self.end(job)
        assert self.table.next() is None


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestAnyOrder = AnyOrder.TestCase


def turns(table: JobTable, steps: int) -> list[int]:
    """Who makes the next steps, none of which makes an item."""
    made = []
    for _ in range(steps):
        job = table.next()
        assert job is not None
        made.append(job.number)
    return made


def filled(at_once: int, *runs: Run) -> JobTable:
    table = JobTable(at_once)
    for run in runs:
        table.add(run)
    return table


def test_two_take_turns_and_the_third_waits_for_a_place() -> None:
    table = filled(2, *(Run(number, "count", [], 1) for number in (1, 2, 3)))
    assert turns(table, 4) == [1, 2, 1, 2]
    job = table.next()
    assert job is not None
    table.over(job)
    assert turns(table, 4) == [2, 3, 2, 3]


def test_one_by_one_means_one_by_one() -> None:
    table = filled(1, *(Run(number, "count", [], 1) for number in (1, 2)))
    assert turns(table, 3) == [1, 1, 1]


@pytest.mark.parametrize("at_once", [1, 2])
def test_the_background_waits_for_everybody(at_once: int) -> None:
    table = filled(at_once, Run(1, "prepare", [], 1, background=True), Run(2, "respond", [], 1))
    assert turns(table, 3) == [2, 2, 2]


def test_who_comes_while_the_background_is_at_work_has_the_next_step() -> None:
    table = filled(2, Run(1, "prepare", [], 1, background=True))
    assert turns(table, 2) == [1, 1]
    table.add(Run(2, "respond", [], 1))
    assert turns(table, 2) == [2, 2]
