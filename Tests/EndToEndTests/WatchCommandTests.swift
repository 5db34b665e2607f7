import DocketClient
import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("watches")
  struct WatchCommandTests {
    /// Runs `body`, which may block, with the options that lead to a scripted server.
    private func with<Value: Sendable>(
      script: @escaping @Sendable (ScriptedServer) throws -> Void,
      _ body: @escaping @Sendable ([String]) throws -> Value
    ) async throws -> Value {
      try await ScriptedServer.run(script: script) { (address) async throws in
        guard case .tcp(_, let port) = address else { throw ScriptError.ended }
        return try await blocking { try body(["--port", "\(port)"]) }
      }
    }

    private func run(_ arguments: [String]) throws -> Docket.Result {
      let process = try ChildProcess(Docket.path, ["watch"] + arguments)
      let ending = process.waitForEnd()
      return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
    }

    @Test("asks for what its options say, prints a line a change, and ends after as many as it is to print")
    func lines() async throws {
      let result = try await with { server in
        let connection = try server.accept()
        let watch = try ScriptedWatch(connection)
        #expect(watch.path == "/n/?watch=true&recursive=true")
        #expect(watch.request.data.map { String(buffer: $0) } == #"{"heartbeat": 3, "since": 16, "where": {"n": 1}}"#)
        try watch.tell(
          ScriptedWatch.change(17, history: "h"), ScriptedWatch.mark("live", 17), ScriptedWatch.change(18, "deleted"))
        #expect(throws: ScriptError.ended) { try connection.request() }
      } _: { server in
        try run(
          ["/n/", "--recursive", "--since", "16", "--where", #"{"n": 1}"#, "--heartbeat", "3", "--limit", "2"] + server)
      }
      #expect(
        result
          == Docket.Result(ending: .exited(0), output: "17 created /n/17 {\"n\": 17}\n18 deleted /n/18\n", error: ""))
    }

    @Test("with --json prints what the server tells, and when all there was is told")
    func json() async throws {
      let items = [
        ScriptedWatch.snapshot(1, history: "h"), ScriptedWatch.mark("live", 17), ScriptedWatch.mark("heartbeat", 18),
        ScriptedWatch.change(19),
      ]
      let result = try await with { server in
        let connection = try server.accept()
        let watch = try ScriptedWatch(connection)
        #expect(watch.path == "/_changes?watch=true" && watch.parameters == #""snapshot": true"#)
        for item in items { try watch.tell(item) }
        #expect(throws: ScriptError.ended) { try connection.request() }
      } _: { server in
        try run(["/_changes", "--snapshot", "--json", "--limit", "2"] + server)
      }
      #expect(result.ending == .exited(0))
      #expect(result.output == [items[0], items[1], items[3], ""].joined(separator: "\n"))
    }

    @Test("goes on when the server comes back, and says once that it had gone")
    func serverReturns() async throws {
      let result = try await with { server in
        let ending = try server.accept()
        let watch = try ScriptedWatch(ending)
        try watch.tell(ScriptedWatch.mark("live", 16, history: "h"), ScriptedWatch.change(17))
        try watch.end(503, "Service Unavailable", "closing")
        ending.close()
        for _ in 0..<2 { try server.accept().close() }
        let connection = try server.accept()
        let next = try ScriptedWatch(connection)
        #expect(next.parameters == #""since": 17, "history": "h""#)
        try next.tell(ScriptedWatch.change(18, history: "h"))
        #expect(throws: ScriptError.ended) { try connection.request() }
      } _: { server in
        try run(["/n/1", "--limit", "2"] + server)
      }
      #expect(result.ending == .exited(0))
      #expect(result.output == "17 created /n/17 {\"n\": 17}\n18 created /n/18 {\"n\": 18}\n")
      #expect(result.errorLines.count == 1)
      #expect(result.error.hasPrefix("docket: 503 Service Unavailable: d; connecting to 127.0.0.1:"))
    }

    @Test("without a server, or where it is refused, ends at once with 1 and the reason")
    func refused() async throws {
      let nowhere = try run(["/n/", "--unix-socket", "/nowhere/docket.sock"])
      #expect(nowhere.ending == .exited(1))
      #expect(nowhere.error.contains("is docket serve running on /nowhere/docket.sock?"))
      for (code, error) in [(410, "history_gone"), (503, "too_many_watches")] {
        let result = try await with { server in
          try ScriptedWatch(try server.accept()).end(code, "M", error)
        } _: { server in
          try run(["/n/", "--since", "0"] + server)
        }
        #expect(result == Docket.Result(ending: .exited(1), output: "", error: "docket: \(code) M: d\n"))
      }
    }

    @Test("runs a command for each change in turn, and ends where one fails")
    func command() async throws {
      let large = "\"" + String(repeating: "x", count: 200_000) + "\""
      let script: @Sendable (ScriptedServer) throws -> Void = { server in
        let connection = try server.accept()
        let watch = try ScriptedWatch(connection)
        try watch.tell(
          ScriptedWatch.mark("live", 16, history: "h"), ScriptedWatch.change(17),
          ScriptedWatch.change(18, "updated", document: large), ScriptedWatch.change(19, "deleted"))
        #expect(throws: ScriptError.ended) { try connection.request() }
      }
      let result = try await with(script: script) { server in
        try run(
          [
            "/n/", "--exec", "read -r line; echo \"$DOCKET_SEQUENCE $DOCKET_CHANGE $DOCKET_PATH ${#line}\"", "--limit",
            "3",
          ]
            + server)
      }
      let lengths = [
        ScriptedWatch.change(17), ScriptedWatch.change(18, "updated", document: large),
        ScriptedWatch.change(19, "deleted"),
      ]
      .map(\.utf8.count)
      #expect(
        result
          == Docket.Result(
            ending: .exited(0),
            output: "17 created /n/17 \(lengths[0])\n18 updated /n/18 \(lengths[1])\n19 deleted /n/19 \(lengths[2])\n",
            error: ""))

      let failed = try await with(script: script) { server in
        // It leaves its standard input unread.
        try run(["/n/", "--exec", "echo $DOCKET_SEQUENCE; test $DOCKET_SEQUENCE != 18 || exit 3"] + server)
      }
      #expect(failed.ending == .exited(1) && failed.output == "17\n18\n")
      #expect(
        failed.error
          == "docket: the command exited with 3 at change 18, updated /n/18; to go on with this change again, give --since 17\n"
      )
    }

    @Test("ends without a word when nobody reads any more, also where no change comes")
    func closedPipe() async throws {
      let output = try await with { server in
        let connection = try server.accept()
        try ScriptedWatch(connection).tell(ScriptedWatch.change(17, history: "h"))
        #expect(throws: ScriptError.ended) { try connection.request() }
      } _: { server in
        let command = "\"$0\" watch /n/ \(server.joined(separator: " ")) | head -1"
        let process = try ChildProcess("/bin/sh", ["-c", command, Docket.path])
        #expect(process.waitForEnd() == .exited(0))
        #expect(process.errorOutput == "")
        return process.remainingOutput
      }
      #expect(output == "17 created /n/17 {\"n\": 17}\n")
    }

    @Test("prints a change at once, and ends at a signal without a word", arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) async throws {
      try await with { server in
        let connection = try server.accept()
        try ScriptedWatch(connection).tell(ScriptedWatch.change(17, history: "h"))
        #expect(throws: ScriptError.ended) { try connection.request() }
      } _: { server in
        let process = try ChildProcess(Docket.path, ["watch", "/n/"] + server)
        #expect(process.readLine() == "17 created /n/17 {\"n\": 17}")
        process.signal(signal)
        #expect(process.waitForEnd() == .signalled(signal))
        #expect(process.remainingOutput == "" && process.errorOutput == "")
      }
    }

    @Test(
      "a wrong command line exits with 2 and says what is wrong",
      arguments: [
        [], ["n"], ["/_documents"], ["/_documents/"], ["/n/1?a=b"], ["/n/1", "--recursive"],
        ["/_changes", "--recursive"],
        ["/n/", "--since", "-1"], ["/n/", "--since", "1", "--snapshot"], ["/n/", "--limit", "0"],
        ["/n/", "--heartbeat", "0"], ["/n/", "--heartbeat", "3601"], ["/n/", "--json", "--exec", "true"],
        ["/n/", "--where", "{"],
      ])
    func usage(_ arguments: [String]) throws {
      let result = try run(arguments)
      #expect(result.ending == .exited(2) && !result.error.isEmpty, "\(arguments): \(result)")
    }
  }
}
