"""A phone's width: nothing is wider than the screen, and everything can be reached."""

import unittest

from console_case import ConsoleCase

SCREENS = [
    ("#/", "tbody tr"), ("#/documents/phone/", "tbody tr"), ("#/documents/phone/?where[title][$prefix]=A&sort=-n", "tbody tr"),
    ("#/document/phone/1", "pre"), ("#/document/phone/1?tab=history", ".diff"), ("#/create/phone/", "textarea"),
    ("#/settings/phone/", "legend"), ("#/tokens/", "form"), ("#/server/", ".chart"), ("#/documents/none/", ".empty"),
    ("#/backups/", "form"), ("#/document/phone/none", ".empty"),
]


class PhoneTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        long = "A-word-without-any-space-" * 8
        for state in ("draft", "final"):
            cls.server.put("/phone/1", {"title": long, "n": int("9" * 60), "nested": {"a": [1, 2, {"b": long}]}, "state": state})
        cls.server.put("/phone/" + "i" * 200, {"title": "A"})

    def setUp(self):
        super().setUp()
        self.browser.resize(360, 740)

    def test_no_screen_is_pushed_sideways(self):
        for address, selector in SCREENS:
            self.go(address)
            self.see(selector)
            wide = self.browser.run("""
                const root = document.documentElement;
                if (root.scrollWidth <= innerWidth && innerWidth === 360) return null;
                return [...document.querySelectorAll("main *")].filter((element) => element.getBoundingClientRect().right > innerWidth)
                    .map((element) => element.tagName + "." + element.className).slice(0, 5);""")
            self.assertIsNone(wide, address)

    def boxes(self, selector):
        return self.browser.run("""
            return [...document.querySelectorAll(arguments[0])].filter((element) => element.checkVisibility()).map((element) => {
                const { left, right, top, bottom } = element.getBoundingClientRect();
                return { left, right, top, bottom };
            });""", selector)

    def test_delete_is_not_beside_edit(self):
        self.go("#/document/phone/1")
        self.see(".head button", "Edit")
        delete, edit = self.boxes(".head .actions button")
        self.assertGreater(edit["left"] - delete["right"], 120)

    def test_no_row_of_figures_has_an_empty_cell(self):
        self.go("#/server/")
        self.see(".figures")
        for number in range(1, 4):
            [frame] = self.boxes(f".group-of:nth-child({number}) .figures")
            self.assertLess(frame["right"] - self.boxes(f".group-of:nth-child({number}) .figures > div")[-1]["right"], 4)

    def test_a_condition_is_two_lines_whatever_it_asks_for(self):
        for query in ("where[n][$gte]=1", "where[n][$exists]=true"):
            self.go(f"#/documents/phone/?{query}")
            self.see(".condition")
            boxes = self.boxes(".condition > *")
            self.assertEqual(len({box["top"] for box in boxes}), 2, query)
            for line in {box["top"] for box in boxes}:
                self.assertGreater(max(box["right"] for box in boxes if box["top"] == line), 340, query)


    def test_an_edit_fits(self):
        self.go("#/document/phone/1")
        self.browser.click("button", "Edit")
        self.see("textarea")
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), 360)

    def test_the_rail_is_a_drawer(self):
        self.go("#/documents/phone/")
        self.see("tbody tr", "final")
        self.browser.gone(".rail a")
        self.browser.click("button[aria-label=Menu]")
        self.see(".rail a", "Server")
        self.browser.press("escape")
        self.browser.gone(".rail a")
        self.browser.click("button[aria-label=Menu]")
        self.browser.click(".rail a", "Server")
        self.see("h1", "Server")
        self.browser.gone(".rail a")

    def test_a_column_can_still_be_sorted_by(self):
        self.go("#/documents/phone/")
        self.browser.click("thead button", "title")
        self.see("th[aria-sort=ascending]")


if __name__ == "__main__":
    unittest.main()
