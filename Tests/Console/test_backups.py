"""Backups: made, seen on their way, deleted, and what is said where they cannot be."""

import json
import os
import shutil
import tempfile
import unittest

from console_case import ConsoleCase


class BackupsTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="docket-console-backups-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.options = ("--backup-folder", cls.folder)
        super().setUpClass()
        cls.server.put_many("/stock/", 2000, lambda number: {"n": number})

    def tearDown(self):
        super().tearDown()
        for name in os.listdir(self.folder):
            os.remove(os.path.join(self.folder, name))

    def test_one_is_made_listed_and_deleted_once_that_is_meant(self):
        self.go("#/backups/")
        self.see(".empty", "No backups yet")
        name = self.see("form input").property("value")
        self.assertRegex(name, r"^manual-\d{8}T\d{6}Z\.db$")
        self.browser.click("button", "Back up now")
        self.see(".note", f"{name} is made: ")
        self.see("tbody tr", name)
        self.see(".summary", "1 backup, ")
        self.assertEqual(os.listdir(self.folder), [name])
        self.browser.gone(".progress")
        self.browser.click(f"button[aria-label='Delete {name}']")
        self.browser.click("dialog button", "Cancel")
        self.assertEqual(os.listdir(self.folder), [name])
        self.browser.click(f"button[aria-label='Delete {name}']")
        self.browser.click("dialog button", "Delete")
        self.see(".empty", "No backups yet")
        self.assertEqual(os.listdir(self.folder), [])

    def test_while_one_is_made_it_says_so_and_offers_no_other(self):
        self.go("#/backups/")
        self.see("form")
        seen = self.browser.run("""
            const make = document.querySelector("form.new-backup button");
            make.click();
            return [document.querySelector(".progress").checkVisibility(), document.querySelector(".progress").textContent, make.disabled];""")
        self.assertEqual([seen[0], seen[1][:13], seen[2]], [True, "Making manual", True])
        self.see(".note", "is made")
        self.assertTrue(self.see("button", "Back up now").is_enabled)

    def test_one_that_somebody_else_makes_is_followed_to_its_end(self):
        self.browser.open("about:blank")
        added = self.browser.command("Page.addScriptToEvaluateOnNewDocument", source="""
            const ask = window.fetch;
            window.percent = 10;
            window.fetch = (path, more) => path === "/_backups/" && window.percent < 100
                ? Promise.resolve(new Response(JSON.stringify({ items: [], running: { name: "night.db", percent: window.percent }, fetching: null })))
                : ask(path, more);""")
        self.addCleanup(self.browser.command, "Page.removeScriptToEvaluateOnNewDocument", **added)
        self.browser.open(self.server.console("#/backups/"))
        self.see(".progress", "Making night.db: 10 %")
        self.browser.run("window.percent = 60")
        self.see(".progress", "60 %")
        self.server.ask("POST", "/_backups/", {"name": "night.db"})
        self.browser.run("window.percent = 100")
        self.see("tbody tr", "night.db")
        self.browser.gone(".progress")

    def test_a_name_that_is_taken_says_so(self):
        self.server.ask("POST", "/_backups/", {"name": "monday.db"})
        self.go("#/backups/")
        self.browser.type("form input", "monday.db")
        self.browser.click("button", "Back up now")
        self.see(".banner.bad", "monday.db was not made")
        self.assertEqual(self.see("form input").property("value"), "monday.db")
        self.assertTrue(self.see("button", "Back up now").is_enabled)

    def test_what_restores_one_is_told(self):
        self.server.ask("POST", "/_backups/", {"name": "monday.db"})
        self.go("#/backups/")
        self.browser.click("button", "How to restore")
        self.see("dialog code", "docket restore FOLDER/monday.db --database FILE")
        self.browser.click("dialog button", "Close")
        self.browser.gone("dialog")


class NoFolderTest(ConsoleCase):
    def test_a_server_without_a_folder_says_how_to_give_it_one(self):
        self.go("#/backups/")
        self.browser.click("button", "Back up now")
        self.see(".empty", "The server has no folder for backups")
        self.see(".empty code", "--backup-folder")
        self.browser.gone("form")
        self.assertEqual(json.loads(self.server.get("/_backups/"))["items"], [])


if __name__ == "__main__":
    unittest.main()
