"""Collections and their documents: how they are listed, filtered, sorted and paged through, with the mouse and by keys."""

import unittest

from console_case import ConsoleCase


class DocumentsTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        put = cls.server.put
        for number in range(1, 8):
            put(f"/bugs/{number}", {
                "title": f"Bug {number}", "state": "open" if number % 2 else "done", "priority": 10 - number,
                "by": {"name": "Ada"}, "tags": ["ui", "new"],
            })
        put("/bugs/8", {"title": "Rare", "odd.key": 1})
        put("/values/a", "[1,2]")
        put("/values/b", '"text"')
        for number in range(5):
            put(f"/people/{number}/orders/1", {"total": number})
        cls.server.put_many("/pages/", 120, lambda number: {"n": number})

    def test_the_overview_tells_what_each_collection_holds(self):
        self.go()
        row = self.see("tbody tr", "/bugs/")
        self.assertIn("8", row.text.split())
        self.assertIn("kB", self.see(".summary").text)
        self.see(".rail .collections a", "/pages/")
        self.assertEqual([item for item in self.texts(".rail .collections .name") if "orders" in item], [])

    def test_nested_collections_of_a_kind_are_folded_into_one(self):
        self.go()
        self.see("tr.group", "/people/…/orders/")
        self.assertFalse(any(item.is_shown for item in self.browser.all("tr.member")))
        self.browser.click("tr.group button")
        self.browser.click("tr.member a", "/people/3/orders/")
        self.see(".trail", "orders")
        self.see_texts("tbody tr th", ["1"])
        self.browser.click(".trail a", "3")
        self.see(".beneath a", "orders/")

    def test_a_collection_is_found_by_its_name_and_opened_without_being_there(self):
        self.go()
        self.see("tbody tr", "/bugs/")
        self.browser.press("/")
        self.browser.press(*"valu")
        self.see_texts("tbody tr th", ["/values/"])
        self.browser.type(".open input", "new one")
        self.browser.press("enter")
        self.see(".empty", "No documents here yet")
        self.assertTrue(self.browser.run("return location.hash").endswith("/documents/new%20one/"))

    def test_fields_are_columns_and_nested_values_are_told_shortly(self):
        self.go("#/documents/bugs/")
        self.see("tbody tr", "Bug 1")
        self.assertEqual(
            [text.rstrip("↑↓") for text in self.texts("thead th")],
            ["Id", "title", "state", "priority", "by", "tags", "odd.key", "Revision", "Updated"])
        row = self.see("tbody tr", "Bug 3").text
        for text in ["open", "7", "name: Ada", "ui, new"]:
            self.assertIn(text, row)
        # No query can name a key with a dot.
        self.assertEqual(self.browser.all("thead button", "odd.key"), [])

    def test_documents_that_are_no_objects_have_their_value(self):
        self.go("#/documents/values/")
        self.see_texts("tbody tr th", ["a", "b"])
        self.assertIn("1, 2", self.see("tbody tr", "a").text)

    def test_a_click_on_a_column_sorts_by_it_then_the_other_way_then_not(self):
        self.go("#/documents/bugs/")
        self.see("tbody tr", "Bug 1")
        for _, ids, order in [
            (1, ["8", "7", "6", "5", "4", "3", "2", "1"], "ascending"), (2, ["1", "2", "3", "4", "5", "6", "7", "8"], "descending"),
        ]:
            self.browser.click("thead button", "priority")
            self.see(f"th[aria-sort={order}]")
            self.see_texts("tbody tr th", ids)
        self.browser.click("thead button", "priority")
        self.browser.gone("th[aria-sort]")
        self.browser.back()
        self.see("th[aria-sort=descending]", "priority")

    def test_conditions_become_a_query_and_an_address(self):
        self.go("#/documents/bugs/")
        self.see("tbody tr", "Bug 1")
        self.browser.press("/")
        self.browser.press(*"state", "tab", "tab", *"open", "enter")
        self.see_texts("tbody tr th", ["1", "3", "5", "7"])
        self.see(".summary", "4 documents match")
        self.browser.click("button", "Condition")
        row = self.browser.all(".condition")[1].path
        self.browser.run("""
            const [name, what, value] = document.querySelectorAll(".condition")[1].querySelectorAll("input, select");
            name.value = "priority"; what.value = "$gte"; value.value = "7";""")
        self.browser.click("button", "Filter")
        self.see_texts("tbody tr th", ["1", "3"])
        self.browser.reload()
        self.see_texts("tbody tr th", ["1", "3"])
        self.browser.click("button[aria-label='Remove the condition']")
        self.see_texts("tbody tr th", ["1", "2", "3"])
        self.browser.click("button", "Clear")
        self.see_texts("tbody tr th", [str(number) for number in range(1, 9)])

    def test_each_condition_finds_what_it_says(self):
        for parameters, ids in [
            ("where[priority][$in]=[9,8]", ["1", "2"]), ("where[odd.key][$exists]=true", []), ("where[state][$exists]=false", ["8"]),
            ("where[title][$prefix]=Bug", ["1", "2", "3", "4", "5", "6", "7"]), ("where[tags][$contains]=ui&where[priority][$lt]=5", ["6", "7"]),
            ("where[state][$ne]=open", ["2", "4", "6", "8"]),
        ]:
            self.go("#/documents/bugs/?" + parameters)
            if ids:
                self.see_texts("tbody tr th", ids)
            else:
                self.see(".empty", "No document matches")

    def test_pages_go_on_and_back(self):
        self.go("#/documents/pages/")
        self.see(".pager", "1–50")
        self.see(".summary", "120 documents")
        self.browser.click("button", "Next")
        self.see(".pager", "51–100")
        self.browser.click("button", "Next")
        self.see(".pager", "101–120")
        self.assertFalse(self.see(".pager button", "Next").is_enabled)
        self.browser.click("button", "Previous")
        self.see_texts("tbody tr:first-child th", ["000050"])
        self.browser.click("button", "Previous")
        self.see_texts("tbody tr:first-child th", ["000000"])

    def test_arrows_go_through_the_rows_and_enter_opens_one(self):
        self.go("#/documents/bugs/")
        self.see("tbody tr", "Bug 1")
        self.browser.run("document.querySelector('tbody tr').focus()")
        focused = "return document.activeElement.querySelector('th')?.textContent"
        self.browser.press("down", "down", "up")
        self.assertEqual(self.browser.run(focused), "2")
        self.browser.press("end")
        self.assertEqual(self.browser.run(focused), "8")
        self.browser.press("home", "down", "enter")
        self.see(".trail", "2")
        self.assertTrue(self.browser.run("return location.hash").endswith("/document/bugs/2"))

    def test_escape_leaves_a_field_and_the_focus_can_be_seen(self):
        self.go("#/documents/bugs/")
        self.see("tbody tr", "Bug 1")
        self.browser.press("/")
        self.assertEqual(self.browser.run("return document.activeElement.className"), "name")
        self.assertNotEqual(self.browser.run("return getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.browser.press("escape")
        self.assertEqual(self.browser.run("return document.activeElement.tagName"), "BODY")


if __name__ == "__main__":
    unittest.main()
