"""What happens elsewhere shows by itself, over a server that goes and comes back."""

import unittest

from console_case import ConsoleCase

LIVE = ".rail .live[data-state=live]"


class LiveTest(ConsoleCase):
    def lit(self, id):
        return self.browser.run(
            "return [...document.querySelectorAll('tr.lit')].some((row) => row.querySelector('th').textContent === arguments[0])", id)

    def test_rows_light_up_as_they_change_come_and_go(self):
        for id in "bc":
            self.server.put(f"/rows/{id}", {"v": "old"})
        self.go("#/documents/rows/")
        self.see(LIVE)
        self.see_texts("tbody tr th", ["b", "c"])
        self.assertEqual(self.browser.all("tr.lit"), [])
        self.server.put("/rows/b", {"v": "changed"})
        self.see("tr.lit", "changed")
        self.assertFalse(self.lit("c"))
        self.server.put("/rows/a", {"v": "made"})
        self.see_texts("tbody tr th", ["a", "b", "c"])
        self.see(".summary", "3 documents")
        self.see(".rail .collections a[aria-current] .figure", "3")
        self.server.ask("DELETE", "/rows/c")
        self.see("tr.gone", "c")
        self.see(".summary", "2 documents")

    def hide(self, hidden):
        self.browser.run(
            "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))", hidden)

    def test_a_page_that_nobody_sees_holds_no_stream_and_misses_nothing(self):
        self.server.put("/unseen/a", {"v": 1})
        self.go("#/documents/unseen/")
        self.see(LIVE)
        self.see_texts("tbody tr th", ["a"])
        self.hide(True)
        self.see(".rail .live[data-state=reconnecting]")
        self.server.put("/unseen/b", {"v": 2})
        self.see_texts("tbody tr th", ["a"])
        self.hide(False)
        self.see(LIVE)
        self.see_texts("tbody tr th", ["a", "b"])

    def test_rows_that_stop_matching_are_struck_and_others_come(self):
        self.server.put("/match/1", {"state": "open"})
        self.server.put("/match/2", {"state": "done"})
        self.go("#/documents/match/?where[state]=open")
        self.see(LIVE)
        self.see_texts("tbody tr th", ["1"])
        self.server.put("/match/1", {"state": "done"})
        self.see("tr.gone[title='no longer matches the filter']", "1")
        self.server.put("/match/2", {"state": "open"})
        self.see_texts("tbody tr th", ["1", "2"])

    def test_new_documents_of_a_long_collection_are_told_and_shown_when_asked(self):
        self.server.put_many("/long/", 60, lambda number: {"n": number})
        self.go("#/documents/long/?sort=-n")
        self.see(LIVE)
        self.see_texts("tbody tr:first-child th", ["000059"])
        self.server.put("/long/new", {"n": 1000})
        self.see(".banner", "1 new document")
        self.browser.click(".banner button", "Show")
        self.see_texts("tbody tr:first-child th", ["new"])

    def test_a_document_that_is_shown_changes_with_the_one_that_is_stored(self):
        self.server.put("/notes/live", {"v": 1})
        self.go("#/document/notes/live")
        self.see(LIVE)
        revision = self.server.put("/notes/live", {"v": "two"})
        self.see("pre", '"two"')
        self.see(".summary", f"Revision {revision}")
        self.server.ask("DELETE", "/notes/live")
        self.see(".empty", "There is no such document")

    def test_where_nothing_is_followed_nothing_is_said_of_it(self):
        self.server.put("/sign/1", {"v": 1})
        self.go("#/documents/sign/")
        self.see(LIVE)
        for address, there in [("#/server/", ".chart"), ("#/", "tbody tr"), ("#/tokens/", "form"), ("#/create/sign/", "textarea")]:
            self.browser.run("location.hash = arguments[0]", address)
            self.see(there)
            self.browser.gone(".live")
        self.browser.run("location.hash = '#/document/sign/1'")
        self.see(LIVE)

    def test_a_server_that_goes_and_comes_back_is_waited_for(self):
        self.expected += ["ERR_", "net::"]
        self.server.put("/away/1", {"v": "before"})
        self.go("#/documents/away/")
        self.see(LIVE)
        self.see("tbody tr", "before")
        self.server.stop()
        self.see(".rail .live[data-state=reconnecting]")
        self.browser.click("thead button", "Id")
        self.see(".outage", "The server does not answer")
        self.server.start()
        self.browser.gone(".outage .banner")
        self.see("tbody tr", "before")
        self.see(LIVE)
        self.server.put("/away/1", {"v": "after"})
        self.see("tbody tr", "after")

    def test_what_happens_during_a_break_is_told_behind_it(self):
        self.expected += ["ERR_", "net::"]
        self.server.put("/break/1", {"v": "before"})
        self.go("#/documents/break/")
        self.see(LIVE)
        self.see("tbody tr", "before")
        self.server.stop()
        self.see(".rail .live[data-state=reconnecting]")
        # The stream goes on where it was; nothing reads the page anew.
        self.browser.run("window.reads = 0; const real = fetch; window.fetch = (path, ...more) => { if (!String(path).includes('heartbeat')) window.reads += 1; return real(path, ...more); }")
        self.server.start()
        self.server.put("/break/1", {"v": "after"})
        self.see("tr.lit", "after")
        self.assertEqual(self.browser.run("return window.reads"), 0)

    def test_an_edit_outlives_an_outage(self):
        self.expected += ["ERR_", "net::"]
        self.server.put("/away/edit", '{"v": 1}')
        self.go("#/document/away/edit")
        self.browser.click("button", "Edit")
        self.browser.type("textarea", '{"v": 2}')
        self.server.stop()
        self.browser.click("button", "Save")
        self.see(".status", "The server does not answer")
        self.server.start()
        self.browser.gone(".outage .banner")
        self.assertEqual(self.see("textarea").property("value"), '{"v": 2}')
        self.browser.click("button", "Save")
        self.browser.gone("textarea")
        self.assertEqual(self.server.get("/away/edit"), '{"v": 2}')


if __name__ == "__main__":
    unittest.main()
