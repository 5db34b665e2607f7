"""The checker, on histories that are known to be true or false."""
from __future__ import annotations

import random
import unittest

import mutations
import search
from search import INFINITY, Operation

A, B = (1, None), (2, None)


def operation(action, outcome, begin, end, client="a", behind=()):
    return Operation(client, action, begin, end, outcome, behind)


def put(value, outcome, begin, end, condition=None, document=0, **rest):
    return operation(("put", document, value, condition), outcome, begin, end, **rest)


def get(outcome, begin, end, document=0, **rest):
    return operation(("get", document, None), outcome, begin, end, **rest)


class SearchTests(unittest.TestCase):
    def linearizable(self, *history, documents=1):
        verdict = search.check(list(history), documents)
        self.assertIs(verdict.is_linearizable, True, verdict.explanation)

    def refused(self, *history, documents=1):
        self.assertIs(search.check(list(history), documents).is_linearizable, False)

    def test_one_after_the_other(self):
        self.linearizable(
            get(("missing",), 0, 1), put(A, ("created", 1), 2, 3), get(("found", A, 1), 4, 5),
            operation(("delete", 0, None), ("deleted",), 6, 7), get(("missing",), 8, 9))

    def test_overlapping_operations_may_be_in_any_order(self):
        self.linearizable(put(A, ("created", 1), 0, 10), get(("missing",), 1, 2), get(("found", A, 1), 3, 4))
        self.linearizable(put(A, ("replaced", 2), 0, 10), put(B, ("created", 1), 0, 10), get(("found", A, 2), 11, 12))

    def test_stale_read(self):
        self.refused(put(A, ("created", 1), 0, 1), put(B, ("replaced", 2), 2, 3), get(("found", A, 1), 4, 5))

    def test_a_read_that_goes_back_while_a_write_is_open(self):
        self.refused(put(A, ("created", 1), 0, 1), put(B, ("replaced", 2), 2, 9), get(("found", B, 2), 3, 4),
                     get(("found", A, 1), 5, 6))

    def test_lost_update(self):
        # Both had read A, and both were told that their write took its place.
        self.refused(put(A, ("created", 1), 0, 1), put(B, ("replaced", 2), 2, 5, ("match", 1)),
                     put((3, None), ("replaced", 3), 2, 5, ("match", 1)))

    def test_a_value_never_written(self):
        self.refused(put(A, ("created", 1), 0, 1), get(("found", B, 1), 2, 3))

    def test_creation_that_succeeded_twice(self):
        self.refused(put(A, ("created", 1), 0, 5, ("none-match", "*")), put(B, ("created", 2), 0, 5, ("none-match", "*")))
        self.linearizable(put(A, ("created", 1), 0, 5, ("none-match", "*")),
                          put(B, ("refused", 1), 0, 5, ("none-match", "*")))

    def test_an_acknowledged_write_that_vanished(self):
        self.refused(put(A, ("created", 1), 0, 1), get(("missing",), 2, 3))

    def test_revision_going_back(self):
        self.refused(put(A, ("created", 5), 0, 1), put(B, ("replaced", 4), 2, 3))
        # They count for all documents together.
        self.refused(put(A, ("created", 5), 0, 1), put(B, ("created", 4), 2, 3, document=1), documents=2)

    def test_a_revision_that_is_not_that_of_the_value(self):
        self.refused(put(A, ("created", 1), 0, 1), put(B, ("replaced", 2), 2, 3), get(("found", B, 1), 4, 5))
        self.refused(put(A, ("created", 1), 0, 1), put(B, ("refused", 2), 2, 3, ("match", 7)))

    def test_a_write_without_an_answer_may_have_been_carried_out(self):
        for seen in (("missing",), ("found", A, 4)):
            self.linearizable(put(A, None, 0, INFINITY), get(seen, 5, 6))
        self.refused(put(A, None, 0, INFINITY), get(("found", A, 4), 5, 6), get(("missing",), 7, 8))

    def test_a_write_without_an_answer_is_not_carried_out_behind_the_death_of_its_server(self):
        self.refused(put(A, None, 0, 4), get(("missing",), 5, 6), get(("found", A, 4), 7, 8))
        self.linearizable(put(A, None, 0, INFINITY), get(("missing",), 5, 6), get(("found", A, 4), 7, 8))

    def test_a_write_without_an_answer_has_one_revision(self):
        self.refused(put(A, None, 0, 1), get(("found", A, 4), 5, 6), get(("found", A, 5), 7, 8))
        self.refused(put(A, None, 0, 1), put(B, ("created", 3), 2, 3, document=1), get(("found", A, 4), 5, 6), documents=2)

    def test_a_read_does_not_hide_a_lost_write_of_another_document(self):
        self.linearizable(put(A, None, 0, 4), get(("missing",), 5, 6, document=1), get(("found", A, 1), 7, 8), documents=2)

    def test_what_is_pipelined_keeps_its_order(self):
        self.linearizable(put(A, ("created", 1), 0, 9), get(("found", A, 1), 0, 9, behind=(0,)))
        self.refused(put(A, ("created", 1), 0, 9), get(("missing",), 0, 9, behind=(0,)))
        self.refused(put(A, None, 0, 9), put(B, None, 0, 9, behind=(0,)), get(("found", B, 2), 10, 11),
                     get(("found", A, 3), 12, 13))

    def test_patches(self):
        patch = operation(("patch", 0, 7, None), ("replaced", 2), 2, 3)
        self.linearizable(put(A, ("created", 1), 0, 1), patch, get(("found", (1, 7), 2), 4, 5))
        self.refused(put(A, ("created", 1), 0, 1), patch, get(("found", A, 2), 4, 5))
        self.refused(patch)

    def test_a_batch_is_one(self):
        batch = operation(("batch", (("put", 0, A, None), ("put", 1, B, None))),
                          ("batch", (("created", 1), ("created", 2))), 0, 9)
        whole = ("page", ((A, 1), (B, 2)))
        self.linearizable(batch, operation(("page",), ("page", (None, None)), 1, 2), operation(("page",), whole, 3, 4),
                          documents=2)
        self.refused(batch, operation(("page",), ("page", ((A, 1), None)), 1, 2), documents=2)
        self.refused(batch, operation(("page",), ("page", (None, (B, 2))), 1, 2), documents=2)

    def test_a_batch_that_fails_changes_nothing(self):
        batch = operation(("batch", (("put", 0, A, None), ("put", 1, B, ("match", 3)))), ("failed", 1, ("refused", None)),
                          0, 1)
        self.linearizable(batch, get(("missing",), 2, 3), documents=2)
        self.refused(batch, get(("found", A, 1), 2, 3), documents=2)

    def test_a_history_without_room_for_them_has_no_mutations(self):
        self.assertEqual(list(mutations.mutations([], random.Random(1))), [])

    def test_each_mutation_is_a_lie(self):
        history = [
            put(A, ("created", 1), 0, 1), put(B, ("replaced", 2), 2, 3, ("match", 1)), get(("found", B, 2), 4, 5),
            operation(("batch", (("put", 0, (3, None), None), ("put", 1, (4, None), None))),
                      ("batch", (("replaced", 3), ("created", 4))), 6, 7),
            operation(("page",), ("page", (((3, None), 3), ((4, None), 4))), 8, 9)]
        self.linearizable(*history, documents=2)
        lies = dict(mutations.mutations(history, random.Random(1)))
        self.assertEqual(len(lies), 6)
        for name, lie in lies.items():
            with self.subTest(name):
                self.refused(*lie, documents=2)

    def test_random_executions_are_linearizable_and_their_mutations_are_not(self):
        """An execution that is known: each operation takes effect at one moment, somewhere within its time."""
        found = set()
        for seed in range(200):
            randomness = random.Random(seed)
            history = _execution(randomness)
            verdict = search.check(history, 2)
            self.assertIs(verdict.is_linearizable, True, f"seed {seed}: {verdict.explanation}")
            for name, lie in mutations.mutations(history, randomness):
                found.add(name)
                self.assertIs(search.check(lie, 2).is_linearizable, False, f"seed {seed}: {name}")
        self.assertEqual(len(found), 6)


def _execution(randomness: random.Random) -> list[Operation]:
    documents, counter, history = [None, None], 0, []
    for moment in range(10, 500, 10):
        document = randomness.randrange(2)
        old = documents[document]
        begin, end = moment - randomness.randrange(40), moment + randomness.randrange(40)
        kind = randomness.choice(("get", "put", "put", "cas", "cas", "patch", "delete", "batch", "page"))
        if kind == "get":
            action, outcome = ("get", document, None), ("found", *old) if old else ("missing",)
        elif kind == "page":
            action, outcome = ("page",), ("page", tuple(documents))
        elif kind == "batch":
            action = ("batch", (("put", 0, (moment, None), None), ("put", 1, (moment + 1, None), None)))
            outcome = ("batch", tuple((("replaced" if documents[place] else "created"), counter + 1 + place)
                                      for place in range(2)))
            documents = [((moment + place, None), counter + 1 + place) for place in range(2)]
            counter += 2
        elif kind == "delete":
            if randomness.random() < 0.7:
                continue
            action, outcome = ("delete", document, None), ("deleted",) if old else ("missing",)
            counter += old is not None
            documents[document] = None
        elif kind == "patch" and not old:
            action, outcome = ("patch", document, moment, None), ("missing",)
        else:
            condition = None
            if kind == "cas":
                condition = ("match", randomness.choice((old[1], old[1] + 1)) if old else 1)
            if kind == "cas" and (not old or condition[1] != old[1]):
                action, outcome = ("put", document, (moment, None), condition), ("refused", old and old[1])
            else:
                counter += 1
                value = (old[0][0], moment) if kind == "patch" else (moment, None)
                action = ("patch", document, moment, None) if kind == "patch" else ("put", document, value, condition)
                outcome = ("replaced" if old else "created", counter)
                documents[document] = (value, counter)
        if randomness.random() < 0.05 and kind in ("put", "cas", "delete", "batch"):
            outcome, end = None, randomness.choice((end, INFINITY))
        history.append(Operation(str(moment), action, begin, end, outcome))
    return history


if __name__ == "__main__":
    unittest.main()
