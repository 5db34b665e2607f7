"""A server that takes requests and does not answer: nothing is waited for without end, and nothing is lost."""

import signal
import unittest

from console_case import ConsoleCase


class LateTest(ConsoleCase):
    def setUp(self):
        super().setUp()
        self.expected += ["ERR_", "net::", "did not answer within"]

    def stop(self):
        """Lets the server take connections, and do nothing with them."""
        self.server.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.go_on)

    def go_on(self):
        self.server.process.send_signal(signal.SIGCONT)

    def test_a_screen_says_so_and_goes_on_once_there_are_answers(self):
        self.server.put("/late/1", {"v": "stored"})
        self.go("#/documents/late/")
        self.see("tbody tr", "stored")
        self.patience(1500)
        self.stop()
        self.browser.click("thead button", "Id")
        self.see(".failed", "The server did not answer within 1.5 s.")
        self.see(".failed button", "Try again")
        self.see(".outage", "The server does not answer")
        self.browser.gone(".bone")
        self.go_on()
        self.browser.gone(".outage .banner")
        self.see("tbody tr", "stored")

    def test_one_request_that_takes_too_long_is_no_outage(self):
        self.server.put("/slow/1", {"v": "stored"})
        self.go("#/documents/slow/")
        self.see("tbody tr", "stored")
        self.patience(1500)
        self.browser.run("""
            window.asked = window.fetch;
            window.fetch = (path, more) => path.includes("limit=50")
                ? new Promise((_, fail) => more.signal.addEventListener("abort", () => fail(new DOMException("", "AbortError"))))
                : window.asked(path, more);""")
        self.browser.click("thead button", "Id")
        self.see(".failed", "did not answer within 1.5 s")
        self.assertEqual(self.texts(".outage > *"), [])
        self.browser.run("window.fetch = window.asked")
        self.browser.click(".failed button", "Try again")
        self.see("tbody tr", "stored")
        self.assertEqual(self.texts(".note"), [])

    def test_a_save_without_an_answer_keeps_what_was_typed_and_says_that_nobody_knows(self):
        self.server.put("/late/2", {"v": "stored"})
        self.go("#/document/late/2")
        self.browser.click("button", "Edit")
        self.browser.type("textarea", '{"v": "typed"}')
        self.patience(1500)
        self.stop()
        self.browser.click("button", "Save")
        self.see(".editing .status.bad", "Look whether it did what was asked")
        self.assertEqual(self.see("textarea").property("value"), '{"v": "typed"}')
        self.go_on()
        self.browser.gone(".outage .banner")
        self.assertEqual(self.see("textarea").property("value"), '{"v": "typed"}')
        self.assertTrue(self.see("button", "Save").is_enabled)

    def test_settings_may_take_long_but_not_without_a_sign_of_life(self):
        self.server.put("/late/3", {"v": 1})
        self.go("#/settings/late/")
        self.browser.type("input[type=number]", "100")
        self.patience(1500)
        self.browser.run("""
            const asked = window.fetch;
            window.fetch = async (path, more) => {
                if (more.method === "PUT") await new Promise((done) => setTimeout(done, 3000));
                return asked(path, more);
            };""")
        self.browser.click("button", "Save")
        self.see(".note", "Saved")
        self.browser.type("input[type=number]", "200")
        self.browser.click("button", "Save")
        self.see(".status", "Saving")
        self.stop()
        self.see(".status.bad", "did not answer within 1.5 s")
        self.assertTrue(self.see("button", "Save").is_enabled)


if __name__ == "__main__":
    unittest.main()
