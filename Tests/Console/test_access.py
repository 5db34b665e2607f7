"""Tokens: how one signs in and out, what is kept where, what each may see, and how they are made and revoked."""

import json
import unittest

from console_case import ConsoleCase


class AccessTest(ConsoleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.put("/open/1", {"v": "as it was"})
        cls.server.put("/open/1", {"v": "for all to read"})
        cls.server.put("/closed/1", {"v": "for few"})
        cls.admin = cls.make("boss", "admin")
        cls.server.token = cls.admin
        cls.reader = cls.make("reader", "read:/open/")

    @classmethod
    def make(cls, name, *rules, **more):
        return json.loads(cls.server.ask("POST", "/_tokens/", {"name": name, "allow": list(rules), **more}))["token"]

    def pages(self):
        return self.texts(".rail .pages .name")

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

    def test_what_a_reader_may_not_do_is_not_offered(self):
        self.sign_in(self.reader, "#/documents/open/")
        self.see("tbody tr", "for all to read")
        self.assertEqual(self.pages(), ["Overview"])
        self.assertEqual(self.texts(".head .actions > *"), [])
        self.go("#/documents/open/?where[v]=nothing")
        self.see(".empty", "No document matches")
        self.assertEqual(self.texts("main a.primary"), [])
        self.go("#/document/open/1")
        self.see("pre", "for all to read")
        self.assertEqual(self.texts(".head button"), [])
        self.browser.click(".tab", "History")
        self.see(".versions", "changed")
        self.assertEqual(self.texts(".versions button"), [])
        self.go("#/document/open/none")
        self.see(".empty", "There is no such document")
        self.assertEqual(self.texts(".empty .actions > *"), ["Look in /open/"])
        self.go("#/create/open/")
        self.see(".empty", "This is not yours to write")
        self.assertEqual(self.texts("textarea"), [])

    def test_a_writer_is_offered_what_its_rules_reach(self):
        self.sign_in(self.make("writer", "read:/", "write:/open/", "write:/closed/2"), "#/documents/open/")
        self.see("a", "New document")
        self.assertEqual(self.texts(".head .actions > *"), ["New document"])
        self.go("#/document/open/1")
        self.see(".head button", "Edit")
        self.browser.click(".tab", "History")
        self.see("button[aria-label^='Restore revision']")
        self.go("#/document/closed/1")
        self.see("pre", "for few")
        self.assertEqual(self.texts(".head button"), [])
        self.go("#/document/closed/2")
        self.see(".empty a", "Create it")
        self.go("#/document/closed/20")
        self.see(".empty", "There is no such document")
        self.assertEqual(self.texts(".empty .actions > *"), ["Look in /closed/"])

    def test_the_server_is_shown_to_who_may_see_its_figures_and_the_rest_to_admins(self):
        self.sign_in(self.make("watcher", "stats"), "#/server/")
        self.see(".chart")
        self.assertEqual(self.pages(), ["Overview", "Server"])
        self.browser.click("button", "Sign out")
        self.see("h1", "Sign in")
        self.browser.type("input[type=password]", self.admin)
        self.browser.click("button", "Sign in")
        self.see(".rail a", "Tokens")
        self.assertEqual(self.pages(), ["Overview", "Server", "Backups", "Tokens"])

    def test_the_rail_says_whose_token_it_is_and_when_it_ends_if_that_is_soon(self):
        self.sign_in(self.make("brief", "read:/", expiresIn=7000))
        self.see(".rail .me", "brief")
        self.see(".rail .soon", "ends in 117 min")
        self.browser.click("button", "Sign out")
        self.sign_in(self.make("long", "read:/", expiresIn=90 * 86_400))
        self.see(".rail .me", "long")
        self.assertEqual(self.texts(".rail .soon"), [])

    def test_the_rights_are_asked_again_where_something_was_refused(self):
        self.sign_in(self.reader)
        self.see_texts("tbody tr th", ["/open/"])
        self.browser.run("""
            return import("/_console/access.js").then(({ access }) => {
                access.allow = ["admin"];
                location.hash = "#/settings/open/";
            })""")
        self.see(".failed", "This is not yours to see")
        self.wait(lambda: self.pages() == ["Overview"], "the rail without what is not allowed")

    def test_a_server_that_does_not_tell_is_taken_to_allow_everything(self):
        added = self.browser.command("Page.addScriptToEvaluateOnNewDocument", source="""
            const ask = window.fetch;
            window.fetch = (path, more) => path === "/_access"
                ? Promise.resolve(new Response('{"error": "unknown_resource"}', { status: 404 })) : ask(path, more);""")
        self.addCleanup(self.browser.command, "Page.removeScriptToEvaluateOnNewDocument", **added)
        self.sign_in(self.reader, "#/document/open/1")
        self.see(".head button", "Edit")
        self.assertEqual(self.pages(), ["Overview", "Server", "Backups", "Tokens"])

    def test_who_has_not_signed_in_sees_no_way_to_go(self):
        for width in (1280, 360):
            self.browser.resize(width, 740)
            self.go("#/documents/open/")
            self.see("h1", "Sign in")
            for part in (".rail", ".top", "button[aria-label=Menu]"):
                self.browser.gone(part)

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
        self.browser.resize(360, 740)
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('td:empty')].filter((cell) => cell.checkVisibility()).length"), 0)

    def test_a_token_that_cannot_be_made_says_why(self):
        self.sign_in(self.admin, "#/tokens/")
        self.see("tbody tr", "boss")
        self.browser.type("form input", "boss")
        self.browser.type("form textarea", "read:/open/")
        self.browser.click("button", "Make a token")
        self.see(".status.bad", "boss")


class AnonymousTest(ConsoleCase):
    options = ("--allow-anonymous", "read:/open/")

    def test_who_may_do_a_part_without_a_token_can_sign_in_for_the_rest(self):
        self.server.put("/open/1", {"v": "for all to read"})
        made = json.loads(self.server.ask("POST", "/_tokens/", {"name": "boss", "allow": ["admin"]}))
        self.go("#/documents/open/")
        self.see("tbody tr", "for all to read")
        self.see(".rail .me", "Not signed in")
        self.assertEqual(self.texts(".head .actions > *"), [])
        self.browser.click(".rail button", "Sign in")
        self.browser.click("main button", "Go on without")
        self.see("tbody tr", "for all to read")
        self.browser.click(".rail button", "Sign in")
        self.browser.type("input[type=password]", made["token"])
        self.browser.click("main button", "Sign in")
        self.see(".rail .me", "boss")
        self.see("a", "New document")
        self.browser.run("sessionStorage.clear()")


class FirstTokenTest(ConsoleCase):
    def test_a_first_token_that_is_not_admin_is_warned_of(self):
        self.go("#/tokens/")
        self.see(".rail .me", "there are no tokens")
        self.assertEqual(self.see("form textarea").property("value"), "admin")
        self.browser.gone(".warning .banner")
        self.browser.type("form input", "weak")
        self.browser.type("form textarea", "read:/notes/")
        self.see(".warning .banner", "nobody could make another here")
        self.browser.click("button", "Make a token")
        self.browser.click("dialog button", "Cancel")
        self.browser.gone("dialog")
        self.assertEqual(json.loads(self.server.get("/_tokens/"))["items"], [])
        self.browser.type("form textarea", "admin\nread:/")
        self.browser.gone(".warning .banner")

    def test_the_first_token_can_be_signed_in_with_where_it_was_made(self):
        self.server.put("/notes/1", {"v": 1})
        self.go("#/tokens/")
        self.see(".empty", "No tokens")
        self.browser.type("form input", "first")
        self.browser.click("button", "Make a token")
        self.browser.click("button", "Sign in with it")
        self.see("tbody tr", "first")
        self.browser.click(".rail a", "/notes/")
        self.see_texts("tbody tr th", ["1"])


if __name__ == "__main__":
    unittest.main()
