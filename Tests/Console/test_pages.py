"""How the console's files are served, and what a browser is told to forbid them."""

import http.client
import unittest

from console_case import ConsoleCase

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
    "img-src": "'self' data:", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'", "trusted-types": "'none'",
}


class PagesTest(ConsoleCase):
    def ask(self, method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()

    def test_the_name_without_a_slash_leads_to_the_one_with(self):
        answer, _ = self.ask("GET", "/_console")
        self.assertEqual((answer.status, answer.headers["Location"]), (308, "/_console/"))

    def test_each_file_has_its_type_and_the_policy(self):
        for name, type in [("", "text/html"), ("main.js", "text/javascript"), ("base.css", "text/css"), ("icon.svg", "image/svg+xml")]:
            answer, body = self.ask("GET", "/_console/" + name)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.headers["Content-Type"].startswith(type), name)
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
            self.assertEqual(policy, POLICY)
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["Cache-Control"], "no-cache")
            self.assertGreater(len(body), 0)

    def test_what_a_browser_has_already_is_not_sent_again(self):
        answer, body = self.ask("GET", "/_console/main.js")
        tag = answer.headers["ETag"]
        again, nothing = self.ask("GET", "/_console/main.js", If_None_Match=f'"other", W/{tag}')
        self.assertEqual((again.status, nothing, again.headers["ETag"]), (304, b"", tag))
        other, all = self.ask("GET", "/_console/main.js", If_None_Match='"other"')
        self.assertEqual((other.status, all), (200, body))
        self.assertNotEqual(self.ask("GET", "/_console/api.js")[0].headers["ETag"], tag)

    def test_other_methods_names_and_hosts_are_refused(self):
        self.assertEqual(self.ask("HEAD", "/_console/")[0].status, 200)
        answer, _ = self.ask("POST", "/_console/")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(self.ask("OPTIONS", "/_console/")[0].headers["Allow"], "GET, HEAD, OPTIONS")
        for name in ["none.js", "../_stats", "%2e%2e/_stats", "main.js/"]:
            self.assertEqual(self.ask("GET", "/_console/" + name)[0].status, 404, name)
        self.assertEqual(self.ask("GET", "/_console/", Host="evil.example")[0].status, 421)

    def test_the_browser_runs_no_script_of_a_page_and_makes_no_html_of_a_text(self):
        self.go()
        self.see("h1", "Collections")
        self.expected += ["Content Security Policy", "TrustedHTML", "Trusted Type", "TrustedScript"]
        ran = self.browser.run("""
            const script = document.createElement("script");
            script.append("window.hasRun = true");
            try { document.body.append(script); } catch {}
            const element = document.createElement("p");
            element.setAttribute("style", "color: rgb(1, 2, 3)");
            document.body.append(element);
            let html = true;
            try { element.innerHTML = "<b>bold</b>"; } catch { html = false; }
            return [window.hasRun === true, getComputedStyle(element).color === "rgb(1, 2, 3)", html];""")
        self.assertEqual(ran, [False, False, False])


if __name__ == "__main__":
    unittest.main()
