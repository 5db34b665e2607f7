"""Documents, ids and collections that mean harm: all of it is text."""

import json
import unittest
import urllib.parse

from console_case import ConsoleCase

HTML = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
NAME = '"><img src=x onerror=window.hacked=1>?#%&=+ é'
DEEP = "[" * 120 + "]" * 120
HOSTILE = (
    '{"html":' + json.dumps(HTML) + ',' + json.dumps(HTML) + ':1,"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}},'
    '"huge":123456789012345678901234567890.5,"wide":1E+999,"rtl":"\u202egnp.exe","zero":"a\u200bb","hebrew":"שלום","nul":"a\\u0000b",'
    '"half":"\\ud800","":"empty","deep":' + DEEP + ',"url":"javascript:window.hacked=1","dup":1,"dup":2}'
)


class HostileTest(ConsoleCase):
    def tearDown(self):
        state = self.browser.run("return [window.hacked ?? null, ({}).polluted ?? null, document.querySelectorAll('main img, main script').length]")
        super().tearDown()
        self.assertEqual(state, [None, None, 0])

    def check_screens(self, collection, id):
        path = f"/{self.encoded(collection)}/{self.encoded(id)}"
        self.server.put(path, HOSTILE)
        self.go("#/documents/" + self.encoded(collection) + "/")
        self.see("tbody tr", "gnp.exe")
        self.assertIn(HTML, self.texts("tbody td bdi"))
        self.assertIn("123456789012345678901234567890.5", self.see("tbody tr").text)
        self.assertEqual(self.ids(), [id])
        self.browser.click("tbody th a")
        self.see("pre", "123456789012345678901234567890.5")
        self.see("pre .unseen", "U+202E")
        self.assertIn(HTML.replace('"', '\\"'), self.see("pre").text)
        self.browser.click("button", "Edit")
        text = self.see("textarea").property("value")
        self.browser.type("textarea", text.replace('"url": "javascript:window.hacked=1"', '"url": 1'))
        self.browser.click("button", "Save")
        self.browser.gone("textarea")
        stored = self.server.get(path)
        self.assertEqual(
            json.loads(stored, object_pairs_hook=list, parse_float=str),
            json.loads(HOSTILE.replace('"javascript:window.hacked=1"', "1"), object_pairs_hook=list, parse_float=str))
        self.browser.click(".tab", "History")
        self.see_texts(".diff .new code", ['  "url": 1,'])

    @staticmethod
    def encoded(name):
        return urllib.parse.quote(name, safe="")

    def test_a_hostile_document_is_text_everywhere_and_survives_an_edit(self):
        self.check_screens("hostile", "1")

    def test_so_are_hostile_names(self):
        self.check_screens(NAME + " one", NAME + " two")
        self.go()
        self.see("tbody tr", "<img")
        self.browser.click("tbody tr a", "<img")
        self.see_texts("tbody tr th", [NAME + " two"])

    def test_a_hostile_change_is_text_too(self):
        self.server.put("/live/1", "{}")
        self.go("#/documents/live/")
        self.see(".rail .live[data-state=live]")
        self.see_texts("tbody tr th", ["1"])
        self.server.put("/live/2", HOSTILE)
        self.see_texts("tbody tr th", ["1", "2"])

    def test_a_document_that_is_too_deep_or_too_large_is_refused_with_a_reason(self):
        self.go("#/create/hostile/")
        self.browser.type("textarea", "[" * 300 + "]" * 300)
        self.browser.click("button", "Create")
        self.see(".status.bad", "deep")
        self.browser.type("textarea", "[" * 5000 + "]" * 5000)
        self.see(".editor-status", "nest")
        self.browser.type("textarea", '"' + "x" * 1_100_000 + '"')
        self.browser.click("button", "Create")
        self.see(".status.bad", "bytes")


if __name__ == "__main__":
    unittest.main()
