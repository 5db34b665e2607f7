"""Tokens: how one signs in and out, what is kept where, what each may see, and how they are made and revoked."""

import json
import unittest

from console_case import ConsoleCase


class AccessTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put("/open/1", {"v": "for all to read"})
        cls.server.put("/closed/1", {"v": "for few"})
        cls.admin = cls.make("boss", "admin")
        cls.server.token = cls.admin
        cls.reader = cls.make("reader", "read:/open/")

    @classmethod
    def make(cls, name, *rules):
        return json.loads(cls.server.ask("POST", "/_tokens/", {"name": name, "allow": list(rules)}))["token"]

    def setUp(self):
        super().setUp()
        self.go()
        self.browser.run("sessionStorage.clear(); localStorage.clear()")

    def sign_in(self, token, address=""):
        self.go(address)
        self.see("h1", "Sign in")
        self.browser.type("input[type=password]", token)
        self.browser.click("button", "Sign in")

    def test_a_wrong_token_is_not_taken_and_a_right_one_leads_where_one_was_going(self):
        self.sign_in("docket_wrong", "#/documents/closed/")
        self.see(".status.bad", "does not take this token")
        self.assertIsNone(self.browser.run("return sessionStorage.getItem('docket-token')"))
        self.browser.type("input[type=password]", self.admin)
        self.browser.click("button", "Sign in")
        self.see("tbody tr", "for few")
        self.see(".rail .live[data-state=live]")

    def test_a_token_is_kept_for_the_tab_alone_and_never_shown_in_an_address(self):
        self.sign_in(self.admin)
        self.see("h1", "Collections")
        kept = self.browser.run("return [sessionStorage.getItem('docket-token'), JSON.stringify(localStorage), document.cookie, location.href]")
        self.assertEqual(kept[0], self.admin)
        for place in kept[1:]:
            self.assertNotIn(self.admin, place)
        self.browser.reload()
        self.see("tbody tr", "/closed/")
        self.browser.click("button", "Sign out")
        self.see("h1", "Sign in")
        self.assertEqual(self.browser.run("return JSON.stringify(sessionStorage)"), "{}")

    def test_who_may_read_a_part_sees_that_part(self):
        self.sign_in(self.reader)
        self.see_texts("tbody tr th", ["/open/"])
        self.go("#/documents/open/")
        self.see("tbody tr", "for all to read")
        self.go("#/documents/closed/")
        self.see(".failed", "This is not yours to see")
        self.go("#/tokens/")
        self.see(".failed", "This is not yours to see")

    def test_a_token_that_is_revoked_ends_what_is_shown(self):
        token = self.make("shortlived", "read:/")
        self.sign_in(token, "#/documents/open/")
        self.see(".rail .live[data-state=live]")
        self.server.ask("DELETE", "/_tokens/shortlived")
        self.see("h1", "Sign in")

    def test_tokens_are_made_shown_once_and_revoked(self):
        self.sign_in(self.admin, "#/tokens/")
        self.see("tbody tr", "boss")
        self.browser.type("form input", "ci")
        self.browser.type("form textarea", "read:/open/\nwrite:/open/")
        self.browser.click("button", "Make a token")
        secret = self.see(".secret").text
        self.assertTrue(secret.startswith("docket_"))
        self.browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        self.browser.click(".made button", "Copy")
        self.see(".note")
        row = self.see("tbody tr", "ci").text
        self.assertIn("write:/open/", row)
        self.browser.click("button", "I have it")
        self.browser.gone(".secret")
        self.browser.reload()
        self.see("tbody tr", "ci")
        self.assertNotIn(secret, self.browser.run("return document.documentElement.outerHTML"))
        self.server.token, admin = secret, self.server.token
        try:
            self.assertEqual(self.server.get("/open/1"), '{"v": "for all to read"}')
        finally:
            self.server.token = admin
        self.browser.click("button[aria-label='Revoke ci']")
        self.browser.click("dialog button", "Revoke")
        self.see("tr.gone", "ci")

    def test_a_token_that_cannot_be_made_says_why(self):
        self.sign_in(self.admin, "#/tokens/")
        self.see("tbody tr", "boss")
        self.browser.type("form input", "boss")
        self.browser.type("form textarea", "read:/open/")
        self.browser.click("button", "Make a token")
        self.see(".status.bad", "boss")


class FirstTokenTest(ConsoleCase):
    def test_the_first_token_can_be_signed_in_with_where_it_was_made(self):
        self.server.put("/notes/1", {"v": 1})
        self.go("#/tokens/")
        self.see(".empty", "No tokens")
        self.browser.type("form input", "first")
        self.browser.type("form textarea", "admin")
        self.browser.click("button", "Make a token")
        self.browser.click("button", "Sign in with it")
        self.see("tbody tr", "first")
        self.browser.click(".rail a", "/notes/")
        self.see_texts("tbody tr th", ["1"])


if __name__ == "__main__":
    unittest.main()
