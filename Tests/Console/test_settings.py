"""Settings of collections, the server's figures, and what the console remembers of its own."""

import json
import unittest

from console_case import ConsoleCase


class SettingsTest(ConsoleCase):
    def settings(self, name):
        items = json.loads(self.server.get("/_collections/"))["items"]
        return next((item["settings"] for item in items if item["collection"] == name), None)

    def test_indexes_and_the_rest_are_set_and_taken_away(self):
        self.server.put_many("/set/", 500, lambda number: {"state": "open", "n": number, "title": "word"})
        self.go("#/documents/set/")
        self.browser.click("a", "Settings")
        self.see("legend", "Indexes")
        self.browser.click("fieldset button", "Add")
        self.browser.type("fieldset .row input", "state, -n")
        self.browser.type("input[placeholder='title, about']", "title")
        self.browser.type("input[type=number]", "7200")
        self.see("fieldset", "That is 2 h")
        self.browser.click("input[type=checkbox]")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.assertEqual(
            self.settings("/set/"),
            {"indexes": [["state", "-n"]], "text": ["title"], "expire": 7200, "requireIfMatch": True})
        self.browser.click("a", "Documents")
        self.see("select option[value=$text]".replace("$text", "'$text'"))
        self.browser.run("""
            const [name, what, value] = document.querySelector(".condition").querySelectorAll("input, select");
            what.value = "$text"; value.value = "word";""")
        self.browser.click("button", "Filter")
        self.see(".summary", "500 documents match")
        self.go("#/settings/set/")
        self.browser.click("button[aria-label='Remove state, -n']")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.assertEqual(self.settings("/set/")["indexes"], [])
        self.browser.click("button", "Set nothing")
        self.browser.click("dialog button", "Set nothing")
        self.see(".note", "Nothing is set any more")
        self.assertIsNone(self.settings("/set/"))

    def test_what_the_documents_do_not_allow_says_why(self):
        for id in "ab":
            self.server.put(f"/same/{id}", {"mail": "x"})
        self.go("#/settings/same/")
        self.browser.run("document.querySelectorAll('fieldset')[1].querySelector('button').click()")
        self.browser.type("input[placeholder=mail]", "mail")
        self.browser.click("button", "Save")
        self.see(".status.bad", "the documents 'a' and 'b' have the same")
        self.assertIsNone(self.settings("/same/"))

    def test_a_look_at_very_many_without_an_index_leads_to_one(self):
        self.server.put_many("/scan/", 11_000, lambda number: {"n": number})
        self.go("#/documents/scan/?where[n]=10999")
        self.see(".banner", "without an index")
        self.browser.click(".banner a", "Make one on n")
        self.wait(lambda: self.see("fieldset .row input").property("value") == "n", "the index in the form")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.browser.click("a", "Documents")
        self.go("#/documents/scan/?where[n]=10999")
        self.see_texts("tbody tr th", ["010999"])
        self.browser.gone(".banner", "without an index")


class ServerTest(ConsoleCase):
    def test_figures_and_charts_follow_the_server(self):
        self.server.put("/notes/1", {"v": 1})
        self.go("#/server/")
        self.see("dd", "SQLite")
        self.see_texts(".chart figcaption span", ["Writes a second", "Answer time", "File size", "Watches"])
        revision = self.server.put("/notes/2", {"v": 1})
        self.see(".figures div", f"Revision\n{revision}")
        self.wait(lambda: len(self.browser.all(".chart polyline")) == 4, "four lines")

    def test_colours_are_chosen_and_remembered(self):
        background = "return getComputedStyle(document.body).backgroundColor"
        self.go()
        light = self.browser.run(background)
        self.browser.click("button[aria-label='Colours: As the system']")
        self.browser.click("button[aria-label='Colours: Light']")
        self.see("button[aria-label='Colours: Dark']")
        dark = self.browser.run(background)
        self.assertNotEqual(light, dark)
        self.go()
        self.see("button[aria-label='Colours: Dark']")
        self.assertEqual(self.browser.run(background), dark)
        self.browser.click("button[aria-label='Colours: Dark']")
        self.browser.run("localStorage.clear()")

    def test_the_systems_colours_are_taken_where_none_were_chosen(self):
        self.go()
        light = self.browser.run("return getComputedStyle(document.body).backgroundColor")
        self.browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.addCleanup(self.browser.command, "Emulation.setEmulatedMedia", features=[])
        self.assertNotEqual(self.browser.run("return getComputedStyle(document.body).backgroundColor"), light)


if __name__ == "__main__":
    unittest.main()
