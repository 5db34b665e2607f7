"""Edits of documents: faults that are shown as one types, saves that overwrite nobody, ends that can be undone, and the past."""

import json
import unittest

from console_case import ConsoleCase

HUGE = '{"n":123456789012345678901234567890.10,"e":1E+400,"same":1,"same":2,"text":"\\u00e9"}'


class EditingTest(ConsoleCase):
    def edit(self, name, text=None):
        self.go(f"#/document{name}")
        self.browser.click("button", "Edit")
        self.see("textarea")
        if text is not None:
            self.browser.type("textarea", text)

    def save(self):
        self.browser.click("button", "Save")
        self.browser.gone("textarea")

    def test_a_fault_is_told_with_its_place_as_one_types(self):
        self.server.put("/notes/fault", {"a": 1})
        self.edit("/notes/fault", '{\n  "a": 1,\n  "b": 01\n}')
        self.see(".editor-status", "Line 3, column 8")
        self.see(".gutter .at-fault", "3")
        self.assertFalse(self.see(".actions button", "Save").is_enabled)
        self.browser.click(".editor-status button", "Line 3")
        self.assertEqual(self.browser.run("return document.querySelector('textarea').selectionStart"), 19)
        for text, told in [
            ("{'a': 1}", "double quotes"), ('{"a": 1,}', "A key should stand here"), ('{"a": 1', "comma, or the closing brace"),
            ('"a\nb"', "Line breaks"), ('"\\x"', "no such escape"), ("[1] 2", "behind the end"), ("nul", "is null"), ('"open', "not closed"),
        ]:
            self.browser.type("textarea", text)
            self.see(".editor-status", told)
        self.browser.type("textarea", '{"b": 2}')
        self.see(".editor-status", "JSON, 8 B")
        self.save()
        self.assertEqual(self.server.get("/notes/fault"), '{"b": 2}')

    def test_what_is_not_touched_keeps_its_digits_and_its_equal_keys(self):
        self.server.put("/notes/huge", HUGE)
        self.edit("/notes/huge")
        text = self.see("textarea").property("value")
        self.assertIn("\n", text)
        self.browser.type("textarea", text.replace('"text": "\\u00e9"', '"text": "new"'))
        self.save()
        self.assertEqual(
            self.server.get("/notes/huge").replace("\n", "").replace(" ", ""),
            HUGE.replace("\\u00e9", "new"))

    def test_a_document_is_shown_as_it_is_stored_and_formatted(self):
        self.server.put("/notes/raw", HUGE)
        self.go("#/document/notes/raw")
        self.see("pre", "123456789012345678901234567890.10")
        self.browser.click("button", "Show it as it is stored")
        self.assertEqual(self.see("pre").text, HUGE)

    def test_a_save_over_somebody_elses_is_not_made_and_both_are_shown(self):
        first = self.server.put("/notes/conflict", '{\n  "state": "draft",\n  "by": "me"\n}')
        self.edit("/notes/conflict", '{\n  "state": "mine",\n  "by": "me"\n}')
        theirs = self.server.put("/notes/conflict", '{\n  "state": "theirs",\n  "by": "me"\n}')
        self.see(".news .banner", f"revision {theirs}")
        self.browser.click(".actions button", "Save")
        panel = self.see(".conflict", f"revision {theirs}")
        self.assertIn("theirs", panel.text)
        self.see_texts(".diff .gone code", ['  "state": "theirs",'])
        self.see_texts(".diff .new code", ['  "state": "mine",'])
        self.assertIn("theirs", self.server.get("/notes/conflict"))
        self.browser.click(".conflict button", "Overwrite with mine")
        self.browser.gone("textarea")
        self.assertIn("mine", self.server.get("/notes/conflict"))
        versions = json.loads(self.server.get("/notes/conflict?history=true"))["versions"]
        self.assertEqual([version["revision"] for version in versions][1:], [theirs, first])

    def test_theirs_can_be_taken_and_an_edit_gone_on_with(self):
        self.server.put("/notes/take", '{"v": 1}')
        self.edit("/notes/take", '{"v": "mine"}')
        self.server.put("/notes/take", '{\n"v": "theirs"}')
        self.browser.click(".banner button", "Compare")
        self.browser.click(".conflict button", "Go on editing")
        self.browser.gone(".conflict")
        self.assertEqual(self.see("textarea").property("value"), '{"v": "mine"}')
        self.browser.click(".actions button", "Save")
        self.browser.click(".conflict button", "Take theirs")
        self.wait(lambda: self.see("textarea").property("value") == '{\n"v": "theirs"}', "theirs in the editor")
        self.browser.type("textarea", '{"v": "on top"}')
        self.save()
        self.assertEqual(self.server.get("/notes/take"), '{"v": "on top"}')

    def test_an_edit_of_what_was_deleted_meanwhile_can_be_written_anew(self):
        self.server.put("/notes/lost", '{"v": 1}')
        self.edit("/notes/lost", '{"v": 2}')
        self.server.ask("DELETE", "/notes/lost")
        self.see(".news .banner", "deleted")
        self.browser.click(".actions button", "Save")
        self.see(".conflict", "Somebody else deleted")
        self.assertFalse(self.server.is_there("/notes/lost"))
        self.browser.click(".conflict button", "Write it again")
        self.browser.gone("textarea")
        self.assertEqual(self.server.get("/notes/lost"), '{"v": 2}')

    def test_control_s_saves_and_escape_asks_before_it_discards(self):
        self.server.put("/notes/keys", '{"v": 1}')
        self.edit("/notes/keys", '{"v": 2}')
        self.browser.chord("control", "s")
        self.browser.gone("textarea")
        self.assertEqual(self.server.get("/notes/keys"), '{"v": 2}')
        self.edit("/notes/keys", '{"v": 3}')
        self.browser.press("escape")
        self.browser.click("dialog button", "Go on editing")
        self.browser.gone("dialog")
        self.browser.press("escape")
        self.browser.click("dialog button", "Discard")
        self.browser.gone("textarea")
        self.assertEqual(self.server.get("/notes/keys"), '{"v": 2}')

    def test_a_screen_with_an_edit_is_not_left_unasked(self):
        self.server.put("/notes/leave", '{"v": 1}')
        self.edit("/notes/leave", '{"v": 2}')
        self.browser.click(".rail a", "Overview")
        self.browser.click("dialog button", "Stay")
        self.browser.gone("dialog")
        self.assertEqual(self.see("textarea").property("value"), '{"v": 2}')
        self.browser.click(".rail a", "Overview")
        self.browser.click("dialog button", "Leave")
        self.see("h1", "Collections")

    def test_a_document_that_ends_by_itself_still_does_after_an_edit(self):
        self.server.put("/notes/ends", '{"v": 1}', Expires_In="3000")
        self.edit("/notes/ends", '{"v": 2}')
        self.see("label", "still ends by itself")
        self.save()
        self.see(".summary", "ends in 50 min")
        self.edit("/notes/ends", '{"v": 3}')
        self.browser.click("input[type=checkbox]")
        self.save()
        self.see(".summary", "Revision")
        self.assertNotIn("ends", self.see(".summary").text)

    def test_a_new_document_takes_an_id_or_gets_one_but_never_anothers(self):
        self.go("#/documents/made/")
        self.browser.click("a", "New document")
        self.browser.type("input", "mine")
        self.browser.type("textarea", '{"v": 1}')
        self.browser.click("button", "Create")
        self.see("pre", '"v"')
        self.assertEqual(self.server.get("/made/mine"), '{"v": 1}')
        self.see(".rail .collections a[aria-current]", "/made/")
        self.go("#/create/made/mine")
        self.browser.type("textarea", '{"v": 2}')
        self.browser.click("button", "Create")
        self.see(".status", "There is a document with this id already")
        self.assertEqual(self.server.get("/made/mine"), '{"v": 1}')
        self.browser.type("input", "")
        self.browser.click("button", "Create")
        self.see("pre", '"v"')
        self.assertEqual(json.loads(self.server.get("/made/?count=true&limit=0"))["count"], 2)

    def test_a_deletion_can_be_undone(self):
        self.server.put("/undone/1", '{"v": 1.0}')
        self.go("#/document/undone/1")
        self.browser.click("button", "Delete")
        self.see(".note", "/undone/1 is deleted.")
        self.see(".empty", "No documents here yet")
        self.see(".rail .collections a[aria-current] .figure", "0")
        self.assertFalse(self.server.is_there("/undone/1"))
        self.browser.click(".note button", "Undo")
        self.see_texts("tbody tr th", ["1"])
        self.see(".rail .collections a[aria-current] .figure", "1")
        self.assertEqual(self.server.get("/undone/1"), '{"v": 1.0}')

    def test_an_undo_leaves_alone_what_was_made_meanwhile(self):
        self.server.put("/undo/2", '{"v": 1}')
        self.go("#/document/undo/2")
        self.browser.click("button", "Delete")
        self.see(".note", "/undo/2 is deleted.")
        self.server.put("/undo/2", '{"v": "new"}')
        self.browser.click(".note button", "Undo")
        self.see(".note", "stays as it is")
        self.assertEqual(self.server.get("/undo/2"), '{"v": "new"}')

    def test_any_two_versions_can_be_compared_and_each_restored(self):
        revisions = [self.server.put("/notes/past", {"a": 1, "state": state}) for state in ["one", "two", "three"]]
        self.go("#/document/notes/past")
        self.browser.click(".tab", "History")
        self.see("h2", f"From revision {revisions[1]} to {revisions[2]}")
        self.see_texts(".diff .gone code", ['  "state": "two"'])
        self.see_texts(".diff .new code", ['  "state": "three"'])
        self.browser.click(f"input[name=compare-0][value='{revisions[0]}']")
        self.see("h2", f"From revision {revisions[0]} to {revisions[2]}")
        self.see_texts(".diff .gone code", ['  "state": "one"'])
        self.browser.click(f"button[aria-label='Restore revision {revisions[0]}']")
        self.see(".note", "is the newest again")
        self.assertEqual(json.loads(self.server.get("/notes/past"))["state"], "one")
        self.see("tr", f"{revisions[2] + 1}")

    def test_a_document_that_is_gone_shows_its_past_and_comes_back(self):
        revision = self.server.put("/notes/back", {"v": 1})
        self.server.ask("DELETE", "/notes/back")
        self.go("#/document/notes/back")
        self.see(".empty", "Restore one of its versions below, or write it again")
        # What was deleted has no lines, not an empty one.
        self.assertEqual(self.texts(".diff .new"), [])
        self.browser.click(f"button[aria-label='Restore revision {revision}']")
        self.see(".summary", "Revision")
        self.assertEqual(self.server.get("/notes/back"), '{"v": 1}')

    def test_a_document_that_never_was_says_where_to_go(self):
        self.go("#/document/notes/never")
        self.see(".empty", "Look for it in its collection, or create it")
        self.browser.click(".empty a", "Look in /notes/")
        self.see("h1", "notes")
        self.browser.back()
        self.browser.click(".empty a", "Create it")
        self.see("textarea")


if __name__ == "__main__":
    unittest.main()
