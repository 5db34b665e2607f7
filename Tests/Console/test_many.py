"""A hundred thousand documents are shown as quickly as a few: page by page, counted, and sorted by an index."""

import json
import unittest

from console_case import ConsoleCase

COUNT = 100_000


class ManyTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put_many("/many/", COUNT, lambda number: {"n": number, "state": "open" if number % 1000 else "rare", "text": "x" * 100})

    def test_they_are_counted_paged_filtered_and_sorted(self):
        self.go()
        self.see("tbody tr", "100,000")
        counted = json.loads(self.server.get("/_collections/?count=true"))["items"][0]
        self.assertEqual((counted["collection"], counted["documents"]), ("/many/", COUNT))
        self.browser.click("tbody a", "/many/")
        self.see(".summary", "100,000 documents")
        self.see_texts("tbody tr:first-child th", ["000000"])
        self.assertEqual(len(self.browser.all("tbody tr")), 50)
        self.browser.click("button", "Next")
        self.see_texts("tbody tr:first-child th", ["000050"])
        self.go("#/documents/many/?where[state]=rare")
        self.see(".summary", "100 documents match")
        self.see(".banner", "no index fits")
        self.server.ask("PUT", "/_collections/many/", {"indexes": [["n"]]})
        self.go("#/documents/many/?sort=-n")
        self.see_texts("tbody tr:first-child th", ["099999"])
        self.server.put("/many/050000", {"n": 1_000_000})
        self.browser.reload()
        self.see_texts("tbody tr:first-child th", ["050000"])


if __name__ == "__main__":
    unittest.main()
