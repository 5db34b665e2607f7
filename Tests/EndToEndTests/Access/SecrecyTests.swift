import DocketTestSupport
import Foundation
import Testing

/// What must be in no answer to those who may not read it: a collection, an id, and a text.
private let secrets = ["hidden", "xyzzy", "plugh"]

private func get(_ path: String, _ more: String = "") -> String { #"{"method":"GET","path":"\#(path)"\#(more)}"# }
private func write(_ method: String, _ path: String, _ data: String, _ more: String = "") -> String {
  #"{"method":"\#(method)","path":"\#(path)","data":\#(data)\#(more)}"#
}
private func batch(_ requests: String..., more: String = "") -> String {
  write("POST", "/_batch", #"{"requests":[\#(requests.joined(separator: ","))]}"#, more)
}

extension EndToEnd {
  @Suite("tells nothing to those who may not know")
  struct SecrecyTests {
    /// A server with documents to hide and others to show, and a session of its operator.
    private static func withHidden(
      _ body: @escaping @Sendable (ServerProcess, AccessClient) throws -> Void
    ) async throws {
      try await withServer { (server) throws in
        let (admin, _) = try server.shut()
        for request in [
          write("PUT", "/_collections/hidden/", #"{"text":["text"],"indexes":["text"]}"#),
          write("PUT", "/hidden/mine", #"{"text":"own","mail":"m1"}"#),
          write("PUT", "/hidden/xyzzy", #"{"text":"plugh","mail":"m2"}"#),
          write("PUT", "/hidden/xyzzy", #"{"text":"plugh again","mail":"m2"}"#),
          write("PUT", "/hidden/xyzzy/plugh/1", #"{"text":"plugh"}"#),
          write("PUT", "/open/1", #"{"text":"seen","mail":"m3"}"#), write("POST", "/item", "\"plugh\""),
          write("PUT", "/users/7", #"{"text":"seven"}"#), write("PUT", "/users/7/orders/1", "1"),
          write("PUT", "/users/8", #"{"text":"plugh"}"#),
        ] {
          let code = try admin.answer(request)?.code ?? 0
          #expect((200...201).contains(code), "\(request)")
        }
        try body(server, admin)
      }
    }

    private static func isSilent(_ text: String) -> Bool { !secrets.contains { text.contains($0) } }

    // MARK: What may not be read

    private static let reads = [
      get("/hidden/xyzzy"), get("/hidden/%78yzzy"), get("/hidden/xyzzy?asOf=3"), get("/hidden/xyzzy?history=true"),
      get("/hidden/nothing"), get("/hidden/"), get("/hidden/?limit=1"), get("/hidden/?asOf=3"),
      get("/hidden/?where[text]=plugh"), get("/hidden/?where[text][$prefix]=p&fields=text"),
      get("/hidden/?count=true&limit=0"), get("/hidden/?where[$text]=plugh"), get("/hidden/?explain=true"),
      get("/hidden/?sort=-text"), get("/hidden/?asOf=3&where[text]=plugh"),
      get("/hidden/", #","data":{"aggregate":{"n":"count","t":{"max":"text"}},"groupBy":"text"}"#),
      get("/hidden/xyzzy/plugh/"), get("/hidden/xyzzy/plugh/1"), get("/hidden/?recursive=true"), get("/list"),
      get("/item/"), get("/hidden/?watch=true", #","id":"w""#), get("/hidden/xyzzy?watch=true", #","id":"w""#),
      get("/hidden/?watch=true&recursive=true", #","id":"w""#), get("/hidden/?watch=true&since=0", #","id":"w""#),
      get("/hidden/?watch=true&snapshot=true", #","id":"w""#),
      get("/hidden/xyzzy?watch=true&snapshot=true", #","id":"w""#),
      get("/hidden/", #","id":"w","data":{"watch":true,"where":{"text":"plugh"},"since":0}"#),
      get("/_documents?explain=true"), get("/_collections/"), get("/_collections/hidden/"), get("/_tokens/"),
      batch(get("/hidden/xyzzy")), batch(get("/open/1"), get("/hidden/")), batch(get("/list")),
      // What asks by writing.
      write("PATCH", "/hidden/xyzzy", "{}"), write("PATCH", "/hidden/nothing", "{}"),
      write("PATCH", "/hidden/xyzzy", #"[{"op":"test","path":"/text","value":"plugh"}]"#),
      #"{"method":"POST","path":"/hidden/xyzzy?restore=3"}"#, write("PUT", "/item", #""plugh,plugh""#),
      write("DELETE", "/item", #""plugh""#), batch(write("PATCH", "/hidden/xyzzy", "{}")),
    ]

    @Test("requests that read, with rights that just miss them")
    func reading() async throws {
      try await Self.withHidden { (server, admin) throws in
        let misses: [[String]] = [
          ["write:/"], ["read:/open/", "write:/hidden/", "write:/item/"], ["stats"],
          ["read:/hidde/", "read:/hidden/xyzz", "read:/hidden/xyzzyx", "read:/hiddenx/", "read:/x/hidden/", "write:/"],
        ]
        for (number, rules) in misses.enumerated() {
          let token = try admin.makeToken("miss\(number)", rules)
          for request in Self.reads {
            let client = try AccessClient(server, token: token)
            let frame = try #require(try client.answer(request))
            // A part of the tree is narrowed to what may be read, of which there is nothing.
            let isNarrowed = request.contains("recursive=true") && number == 3
            if !isNarrowed {
              #expect(frame.code == 403 && frame.error == "forbidden", "\(rules) \(request): \(frame.text)")
            }
            #expect(Self.isSilent(frame.text), "\(rules) \(request): \(frame.text)")
            // The session goes on, and nothing else comes of it.
            #expect(try client.answer(get("/_health"))?.code == 200)
          }
        }
        for request in Self.reads {
          let frame = try #require(try AccessClient(server).answer(request))
          #expect(frame.code == 401 && frame.error == "unauthorized" && Self.isSilent(frame.text), "\(frame.text)")
        }
        // The same requests are carried out for those who may.
        let everything = try admin.makeToken("everything", ["admin"])
        for request in Self.reads {
          let frame = try #require(try AccessClient(server, token: everything).answer(request))
          #expect(frame.code != 401 && frame.code != 403, "\(request): \(frame.text)")
        }
      }
    }

    @Test("requests that write, with rights that just miss them, which change nothing")
    func writing() async throws {
      try await Self.withHidden { (server, admin) throws in
        let before = try #require(try admin.answer(get("/_changes"))?.sequence)
        let token = try admin.makeToken(
          "reader",
          ["read:/", "write:/open/", "write:/hidde/", "write:/hidden/xyzz", "write:/hiddenx/", "write:/item/1"])
        for request in [
          write("PUT", "/hidden/xyzzy", "1"), write("PUT", "/hidden/new", "1"), write("POST", "/hidden/", "1"),
          write("PATCH", "/hidden/xyzzy", #"{"text":1}"#), #"{"method":"DELETE","path":"/hidden/xyzzy"}"#,
          #"{"method":"DELETE","path":"/hidden/nothing"}"#, #"{"method":"POST","path":"/hidden/xyzzy?restore=3"}"#,
          write("PUT", "/hidden/xyzzy", "1", #","headers":{"Prefer":"dry-run"}"#),
          write("PUT", "/hidden/xyzzy", "1", #","headers":{"Idempotency-Key":"k"}"#), write("POST", "/item", "1"),
          write("PUT", "/item", #""plugh,x""#), write("DELETE", "/item", #""plugh""#),
          batch(write("PUT", "/open/1", "1"), write("PUT", "/hidden/xyzzy", "1")),
          batch(write("PUT", "/hidden/xyzzy", "1"), more: #","headers":{"Idempotency-Key":"k2"}"#),
          write("PUT", "/_collections/open/", "{}"), #"{"method":"DELETE","path":"/_collections/hidden/"}"#,
          write("POST", "/_tokens/", #"{"name":"mine","allow":["admin"]}"#),
          #"{"method":"DELETE","path":"/_tokens/admin"}"#,
        ] {
          let frame = try #require(try AccessClient(server, token: token).answer(request))
          #expect(frame.code == 403, "\(request): \(frame.text)")
        }
        #expect(try admin.answer(get("/_changes"))?.sequence == before)
        #expect(try admin.code("GET", "/_collections/hidden/") == 200)
        #expect(try admin.code("GET", "/_tokens/") == 200)
        // A key under which something was refused is free.
        #expect(
          try admin.answer(write("PUT", "/hidden/new", "1", #","headers":{"Idempotency-Key":"k"}"#))?.code == 201)
      }
    }

    // MARK: What may be read in part

    @Test("what shows many documents shows those that may be read, page by page, counts and all")
    func narrowed() async throws {
      try await Self.withHidden { (server, admin) throws in
        for number in 0..<30 {
          _ = try admin.answer(write("PUT", "/hidden/xyzzy\(number)", #"{"text":"plugh \#(number)"}"#))
          _ = try admin.answer(write("PUT", "/open/p\(number)", #"{"text":"t\#(number % 3)"}"#))
        }
        _ = try admin.answer(
          batch(
            write("PUT", "/hidden/xyzzy", #"{"text":"plugh","in":"batch"}"#),
            write("PUT", "/open/b", #"{"in":"batch"}"#)))
        let client = try AccessClient(server, token: try admin.makeToken("part", ["read:/open/", "read:/users/7"]))
        func all(_ path: String) throws -> [String] {
          var paths: [String] = []
          var after = ""
          repeat {
            let frame = try #require(try client.answer(get("\(path)\(after)")))
            #expect(frame.code == 200 && Self.isSilent(frame.text), "\(frame.text)")
            paths += frame.paths
            let next = frame.next
            // A cursor has texts in hexadecimal.
            for secret in secrets {
              let hexadecimal = secret.utf8.map { String($0, radix: 16) }.joined()
              #expect(next?.lowercased().contains(hexadecimal) != true)
            }
            let name = path.hasPrefix("/_changes") ? "since" : "after"
            after = next.map { "&\(name)=\($0)" } ?? ""
          } while !after.isEmpty
          return paths
        }
        let shown = Set((0..<30).map { "/open/p\($0)" } + ["/open/1", "/open/b", "/users/7", "/users/7/orders/1"])
        for path in ["/_documents?limit=1", "/_documents?limit=7&sort=-text", "/_documents?limit=3&asOf=40"] {
          let found = try all(path)
          #expect(Set(found).isSubset(of: shown) && found.count == Set(found).count, "\(found)")
          #expect(path.contains("asOf") || Set(found) == shown)
        }
        #expect(try all("/users/?recursive=true&limit=1") == ["/users/7", "/users/7/orders/1"])
        #expect(try all("/_documents?where[text][$contains]=plugh&limit=5") == [])
        #expect(Set(try all("/_changes?limit=2")) == shown)
        #expect(Set(try all("/_changes?where[in]=batch&limit=1")) == ["/open/b"])
        for (path, count) in [
          ("/_documents?count=true&limit=0", 34), ("/_documents?count=true&limit=0&where[text][$contains]=plugh", 0),
          ("/users/?recursive=true&count=true&limit=0", 2),
        ] {
          #expect(try client.answer(get(path))?.count == count, "\(path)")
        }
        let groups = try client.answer(
          get("/_documents", #","data":{"aggregate":{"n":"count","t":{"max":"text"}},"groupBy":"text"}"#))
        #expect(groups?.code == 200 && groups.map { Self.isSilent($0.text) } == true, "\(String(describing: groups))")
        #expect(groups?.text.contains(#"{"group": "t0", "n": 10, "#) == true)
        // Where a collection is not known to be there, nothing tells whether it is.
        for path in ["/hidden/?recursive=true", "/nothing/?recursive=true", "/users/8/orders/?recursive=true"] {
          #expect(try client.answer(get(path))?.code == 403)
        }
      }
    }

    @Test("what is wrong with documents that may not be read is not told, and hinders no read of others")
    func damage() async throws {
      try await Self.withHidden { (server, admin) throws in
        let client = try AccessClient(server, token: try admin.makeToken("part", ["read:/open/"]))
        #expect(try admin.answer(write("PUT", "/open/2", "1"))?.text.contains(#""revision": 10}"#) == true)
        _ = try SQLiteCommand.run(
          server.database,
          "PRAGMA ignore_check_constraints = ON; UPDATE document_rows SET data = '{' || id WHERE collection <> '/open/'"
        )
        for path in ["/_documents", "/_documents?asOf=10", "/_documents?asOf=9&where[mail]=m3"] {
          let frame = try #require(try client.answer(get(path)))
          #expect(frame.code == 200 && Self.isSilent(frame.text), "\(path): \(frame.text)")
        }
        try client.send(get("/_changes?watch=true&snapshot=true", #","id":"all""#))
        var told: [String] = []
        while told.last != "live" {
          let frame = try #require(try client.next())
          #expect(frame.code == 200 && Self.isSilent(frame.text), "\(frame.text)")
          guard frame.code == 200 else { break }
          told.append(frame.change ?? "")
        }
        #expect(told == ["snapshot", "snapshot", "live"])
      }
    }

    @Test("watches of everything tell what may be read: live, since, as a snapshot, and what leaves")
    func narrowedWatches() async throws {
      try await Self.withHidden { (server, admin) throws in
        let client = try AccessClient(server, token: try admin.makeToken("part", ["read:/open/", "read:/users/7"]))
        let requests = [
          ("live", "/_changes?watch=true", ""), ("since", "/_changes?watch=true&since=0", ""),
          ("snapshot", "/_changes?watch=true&snapshot=true", ""), ("tree", "/users/?watch=true&recursive=true", ""),
          ("where", "/_changes", #","data":{"watch":true,"where":{"text":{"$in":["plugh","seen","seven"]}}}"#),
          ("both", "/_changes", #","data":{"watch":true,"snapshot":true,"where":{"text":{"$in":["plugh","seen"]}}}"#),
        ]
        for (id, path, data) in requests { try client.send(get(path, #","id":"\#(id)"\#(data)"#)) }
        var told: [String: [String]] = [:]
        var live = 0
        func take() throws {
          let frame = try #require(try client.next())
          #expect(frame.code == 200 && Self.isSilent(frame.text), "\(frame.text)")
          if frame.change == "live" { return live += 1 }
          told[frame.id ?? "", default: []].append("\(frame.change ?? "") \(frame.path ?? "")")
        }
        while live < requests.count { try take() }
        let before = ["/open/1", "/users/7", "/users/7/orders/1"]
        #expect(told["since"] == before.map { "created \($0)" })
        #expect(told["snapshot"] == before.map { "snapshot \($0)" })
        #expect(told["both"] == ["snapshot /open/1"])
        #expect(told["live"] == nil && told["tree"] == nil && told["where"] == nil)
        told = [:]
        for request in [
          write("PUT", "/hidden/xyzzy", #"{"text":"other"}"#), write("PUT", "/hidden/xyzzy2", #"{"text":"plugh"}"#),
          #"{"method":"DELETE","path":"/hidden/xyzzy2"}"#, write("PUT", "/users/8", #"{"text":"x"}"#),
          write("PUT", "/users/71", "1"), write("PUT", "/openx/1", "1"),
          batch(write("PUT", "/hidden/xyzzy3", #"{"text":"plugh"}"#), write("PUT", "/open/1", #"{"text":"gone"}"#)),
          write("PUT", "/users/7/orders/2", "2"), #"{"method":"DELETE","path":"/open/1"}"#,
        ] { #expect((try admin.answer(request)?.code ?? 500) < 300, "\(request)") }
        while told["since"]?.last != "deleted /open/1" || told["snapshot"]?.last != "deleted /open/1"
          || told["live"]?.last != "deleted /open/1" || told["tree"] == nil || told["where"] == nil
          || told["both"] == nil
        { try take() }
        let all = ["updated /open/1", "created /users/7/orders/2", "deleted /open/1"]
        #expect(told["live"] == all && told["since"] == all && told["snapshot"] == all)
        #expect(told["tree"] == ["created /users/7/orders/2"])
        #expect(told["where"] == ["left /open/1"] && told["both"] == ["left /open/1"])
      }
    }

    // MARK: What errors tell

    @Test("that a value is taken, and not by which document: written once, again under its key, in a batch, restored")
    func duplicates() async throws {
      try await Self.withHidden { (server, admin) throws in
        _ = try admin.answer(write("PUT", "/hidden/mine", #"{"mail":"m2","text":"old"}"#))
        let old = try #require(try admin.answer(get("/_changes?limit=1000"))?.sequence)
        _ = try admin.answer(write("PUT", "/hidden/mine", #"{"mail":"m9"}"#))
        let rules = try admin.answer(write("PUT", "/_collections/hidden/", #"{"unique":["mail"]}"#))
        #expect(rules?.code == 200)
        let writer = try admin.makeToken("writer", ["write:/hidden/"])
        let owner = try admin.makeToken("owner", ["read:/hidden/mine", "write:/hidden/mine"])
        let taken = #"{"mail":"m2"}"#
        let key = #","headers":{"Idempotency-Key":"k"}"#
        let batchKey = #","headers":{"Idempotency-Key":"kb"}"#
        let restoreKey = #","headers":{"Idempotency-Key":"kr"}"#
        let restore = #"{"method":"POST","path":"/hidden/mine?restore=\#(old)""#
        let requests: [(String, String)] = [
          (writer, write("POST", "/hidden/", taken)), (writer, write("PUT", "/hidden/mine", taken)),
          (writer, write("PUT", "/hidden/mine", taken, key)),
          (writer, write("PUT", "/hidden/mine", taken, #","headers":{"Prefer":"dry-run"}"#)),
          (writer, batch(write("PUT", "/hidden/mine", taken))),
          (writer, batch(write("PUT", "/hidden/mine", taken), more: batchKey)),
          (owner, write("PATCH", "/hidden/mine", taken)),
          (owner, write("PATCH", "/hidden/mine", #"[{"op":"add","path":"/mail","value":"m2"}]"#)),
          (owner, restore + "}"), (owner, restore + restoreKey + "}"),
          (owner, batch(write("PATCH", "/hidden/mine", taken))),
        ]
        func check(_ codes: [Int], _ words: String) throws {
          for (token, request) in requests {
            let frame = try #require(try AccessClient(server, token: token).answer(request))
            #expect(codes.contains(frame.code), "\(words) \(request): \(frame.text)")
            #expect(
              !frame.text.contains("xyzzy") && !frame.text.contains("plugh"), "\(words) \(request): \(frame.text)")
          }
        }
        try check([409], "first")
        // Those who may read are told, also under keys of which those who may not come later; and the other way round.
        for (_, request) in requests {
          let known = request.replacingOccurrences(of: "\"k", with: "\"admin-k")
          for text in [request, known] {
            let frame = try #require(try admin.answer(text))
            if frame.code == 409 { #expect(frame.text.contains("/hidden/xyzzy"), "\(text): \(frame.text)") }
            #expect([409, 422].contains(frame.code), "\(text): \(frame.text)")
          }
        }
        let mine = requests.filter { $0.1.contains("Idempotency-Key") }
        #expect(mine.count == 3)
        for (token, request) in mine {
          let known = request.replacingOccurrences(of: "\"k", with: "\"admin-k")
          let frame = try #require(try AccessClient(server, token: token).answer(known))
          #expect([409, 422].contains(frame.code), "\(known): \(frame.text)")
          #expect(!frame.text.contains("xyzzy") && !frame.text.contains("plugh"), "\(known): \(frame.text)")
        }
        try check([409], "again")
      }
    }

    @Test("whether something is there, to nobody: what may not be had is answered the same, there or not")
    func existence() async throws {
      try await Self.withHidden { (server, admin) throws in
        let token = try admin.makeToken("other", ["read:/open/", "write:/open/"])
        let client = try AccessClient(server, token: token)
        for (there, not) in [
          (get("/hidden/xyzzy"), get("/hidden/nothing")), (get("/hidden/"), get("/nothing/")),
          (get("/_collections/hidden/"), get("/_collections/nothing/")),
          (#"{"method":"DELETE","path":"/_tokens/admin"}"#, #"{"method":"DELETE","path":"/_tokens/nobody"}"#),
          (#"{"method":"DELETE","path":"/hidden/xyzzy"}"#, #"{"method":"DELETE","path":"/hidden/nothing"}"#),
          (get("/hidden/xyzzy?asOf=99999"), get("/hidden/xyzzy?asOf=1")),
          (get("/hidden/?after=zz"), get("/nothing/")), (get("/hidden/?sort=@@"), get("/nothing/?sort=a")),
        ] {
          let (first, second) = (try client.answer(there), try client.answer(not))
          // What cannot be a request of anybody says so to those who may do something.
          if first?.code != 400 { #expect(first?.text == second?.text, "\(there)") }
          #expect(first.map { Self.isSilent($0.text) } == true)
        }
      }
    }
  }
}
