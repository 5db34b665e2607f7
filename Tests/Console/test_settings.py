"""Settings of collections, the server's figures, and what the console remembers of its own."""

import json
import unittest
import urllib.error

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
        self.browser.click("button", "Remove all settings")
        self.browser.click("dialog button", "Remove")
        self.see(".note", "The settings are removed")
        self.assertIsNone(self.settings("/set/"))

    def test_what_the_documents_do_not_allow_says_why(self):
        for id in "ab":
            self.server.put(f"/same/{id}", {"mail": "x"})
        self.go("#/settings/same/")
        self.see("fieldset:nth-of-type(2) button")
        self.browser.run("document.querySelectorAll('fieldset')[1].querySelector('button').click()")
        self.browser.type("input[placeholder=mail]", "mail")
        self.browser.click("button", "Save")
        self.see(".status.bad", "the documents 'a' and 'b' have the same")
        self.assertIsNone(self.settings("/same/"))

    def test_a_look_at_very_many_without_an_index_leads_to_one(self):
        self.server.put_many("/scan/", 11_000, lambda number: {"n": number})
        self.go("#/documents/scan/?where[n]=10999")
        self.see(".banner", "no index fits")
        self.browser.click(".banner a", "Make one on n")
        self.wait(lambda: self.see("fieldset .row input").property("value") == "n", "the index in the form")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.browser.click("a", "Documents")
        self.go("#/documents/scan/?where[n]=10999")
        self.see_texts("tbody tr th", ["010999"])
        self.browser.gone(".banner", "no index fits")


    def open_with(self, name, settings):
        self.server.put(f"/{name}/1", {"n": 1})
        self.server.ask("PUT", f"/_collections/{name}/".replace("//", "/"), settings)
        self.go(f"#/settings/{name}/")
        self.see("legend", "Lifetime")

    def test_what_somebody_else_has_set_meanwhile_is_not_overwritten_unseen(self):
        self.open_with("both", {"expire": 100})
        self.browser.type("input[type=number]", "300")
        self.server.ask("PUT", "/_collections/both/", {"expire": 200})
        self.browser.click("button", "Save")
        self.see(".conflict h2", "Somebody else has changed these settings")
        self.see(".diff .gone", '"expire": 200')
        self.see(".diff .new", '"expire": 300')
        self.assertEqual(self.settings("/both/")["expire"], 200)
        self.browser.click(".conflict button", "Go on editing")
        self.browser.gone(".conflict")
        self.browser.click("button", "Save")
        self.browser.click(".conflict button", "Overwrite with mine")
        self.see(".note", "Saved")
        self.assertEqual(self.settings("/both/")["expire"], 300)

    def test_their_settings_can_be_taken_and_gone_on_from(self):
        self.open_with("theirs", {"expire": 100})
        self.server.ask("PUT", "/_collections/theirs/", {"expire": 200})
        self.browser.click("button", "Remove all settings")
        self.browser.click("dialog button", "Remove")
        self.browser.click(".conflict button", "Take theirs")
        self.wait(lambda: self.see("input[type=number]").property("value") == "200", "what they have set")
        self.browser.type("input[type=number]", "400")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.assertEqual(self.settings("/theirs/")["expire"], 400)

    def test_an_edit_after_a_save_is_not_left_unasked(self):
        self.open_with("again", {"expire": 100})
        for seconds in ("200", "300"):
            self.browser.type("input[type=number]", seconds)
            self.browser.click("button", "Save")
            self.wait(lambda: (self.settings("/again/") or {}).get("expire") == int(seconds), "the save")
            self.browser.gone(".status")
        self.browser.type("input[type=number]", "400")
        self.browser.run("location.hash = '#/'")
        self.browser.click("dialog button", "Stay")


class ServerTest(ConsoleCase):
    def figure(self, name):
        return self.browser.run(
            "return [...document.querySelectorAll('.figures dt')].find((dt) => dt.textContent === arguments[0])?.nextSibling.textContent ?? ''", name)

    def test_figures_and_charts_follow_the_server(self):
        self.server.put("/notes/1", {"v": 1})
        self.go("#/server/")
        self.see(".state.valid", "Ready")
        self.see(".summary", "SQLite")
        self.see_texts(".chart figcaption span", [
            "Changes a second", "Requests a second", "Refused and failed a second", "Answer time", "Writes that wait", "Memory"])
        revision = self.server.put("/notes/2", {"v": 1})
        self.see(".figures div", f"Revision\n{revision}")
        self.wait(lambda: len(self.browser.all(".chart polyline")) == 6, "six lines")

    def test_room_memory_connections_and_the_queue_are_told_as_the_server_does(self):
        self.server.put("/notes/1", {"v": 1})
        self.go("#/server/")
        self.see(".figures")
        for name in ("Free room", "Database", "Memory", "Writes that wait"):
            self.assertRegex(self.figure(name), r"^[\d.]+ (B|kB|MB|GB|TB)", name)
        self.assertRegex(self.figure("Connections"), r"^[1-9]\d*0 native, [1-9]\d* HTTP$")
        self.assertRegex(self.figure("Group size"), r"^[\d.]+writes a commit, of \d+ commits?$")
        free = json.loads(self.server.get("/_stats"))["freeBytes"]
        told = self.browser.run("return import('/_console/format.js').then(({ bytes }) => bytes(arguments[0]))", free)
        self.assertEqual(self.figure("Free room").split(" ")[1][:2], told.split(" ")[1])

    def test_each_kind_of_request_has_its_count_its_refusals_and_its_percentiles(self):
        self.server.put("/kinds/1", {"v": 1})
        with self.assertRaises(urllib.error.HTTPError):
            self.server.ask("PUT", "/kinds/1", {"v": 2}, If_None_Match="*")
        self.go("#/server/")
        counted = json.loads(self.server.get("/_stats"))["requests"]["write"]
        self.wait(lambda: self.texts("tr[data-kind=write] td"), "the row of writes")
        cells = self.texts("tr[data-kind=write] td")
        self.assertEqual([cells[0], cells[2], cells[3]], [str(counted["count"]), str(counted["refused"]), "0"])
        self.assertGreater(counted["refused"], 0)
        for cell in cells[4:]:
            self.assertRegex(cell, r"^[\d.]+ m?s$")

    def test_sizes_have_units_of_1000(self):
        told = self.browser.run(
            "return import('/_console/format.js').then(({ bytes }) => [0, 999, 1000, 1024, 9990, 1536000, 2e9, 3e15].map(bytes))")
        self.assertEqual(told, ["0 B", "999 B", "1.0 kB", "1.0 kB", "10 kB", "1.5 MB", "2.0 GB", "3000 TB"])

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


class FullTest(ConsoleCase):
    options = ("--ready-room-bytes", str(10**15))

    def test_a_server_that_is_not_ready_says_why(self):
        self.go("#/server/")
        self.see(".state.bad", "Not ready")
        self.see(".banner.bad", "--ready-room-bytes")
        self.see(".figures .bad")


if __name__ == "__main__":
    unittest.main()
