import DocketClient
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@Suite("A client's queries")
struct ClientQueryTests {
  private static func item(_ number: Int) -> String {
    #"{"path": "/n/\#(number)", "id": "\#(number)", "revision": 1, "created": "c", "updated": "u", "document": \#(number)}"#
  }

  @Test("conditions are written as the protocol has them")
  func conditions() throws {
    let condition = QueryCondition.all([
      .field("status", .equals("open")), .field("author.name", .hasPrefix("Ä\"")),
      .any([.field("n", .atLeast(2)), .field("n", .less(-1.5)), .field("x", .exists(false))]),
      .not(.field("tags", .isOne(of: ["a", nil, true, .json(ByteBuffer(string: "[1]"))]))),
      .json(ByteBuffer(string: #"{"a": 1}"#)),
    ])
    #expect(
      try String(buffer: condition.json)
        == #"{"$and": [{"status": {"$eq": "open"}}, {"author.name": {"$prefix": "Ä\""}}, "#
        + #"{"$or": [{"n": {"$gte": 2}}, {"n": {"$lt": -1.5}}, {"x": {"$exists": false}}]}, "#
        + #"{"$not": {"tags": {"$in": ["a", null, true, [1]]}}}, {"a": 1}]}"#)
    let operators: [(QueryTest, String)] = [
      (.differs(1), "$ne"), (.greater(1), "$gt"), (.atMost(1), "$lte"), (.isNone(of: []), "$nin"),
      (.contains("x"), "$contains"),
    ]
    for (test, name) in operators {
      #expect(try String(buffer: QueryCondition.field("f", test).json).hasPrefix("{\"f\": {\"\(name)\": "))
    }
  }

  @Test("a number that JSON does not have is refused unsent", arguments: [Double.nan, .infinity, -Double.infinity])
  func invalidNumbers(_ number: Double) async throws {
    let condition = QueryCondition.any([.not(.field("n", .isOne(of: [1, .number(number)]))), .field("m", .equals(1))])
    #expect(throws: DocketClientError.invalidNumber) { try condition.json }
    // Nobody listens there: a call that tried to connect would say so.
    let client = DocketClient(.tcp(host: "127.0.0.1", port: 1))
    await #expect(throws: DocketClientError.invalidNumber) {
      try await client.query(DocumentQuery(where: condition), in: .database)
    }
    await client.close()
  }

  @Test("what is asked for is sent, and no more")
  func request() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      for (path, data) in [
        ("/n/", "{}"),
        (
          "/_documents",
          #"{"where": {"a": {"$eq": 1}}, "sort": ["-a", "b"], "fields": ["x.y"], "limit": 5, "after": "c", "#
            + #""asOf": 7, "recursive": true, "count": true, "explain": true}"#
        ),
      ] {
        let request = try connection.request()
        #expect(request.method == .get && String(buffer: request.path) == path)
        #expect(request.data.map { String(buffer: $0) } == data)
        try connection.answer(
          200, "OK",
          #"{"items": [\#(Self.item(1))], "next": "d", "count": 12, "explain": {"scanned": 1}, "warning": {}}"#)
      }
    } client: { (address) async throws in
      let client = DocketClient(address)
      _ = try await client.query(DocumentQuery(), in: .collection("/n/"))
      let page = try await client.query(
        DocumentQuery(
          where: .field("a", .equals(1)), sort: ["-a", "b"], fields: ["x.y"], limit: 5, after: "c", asOf: .revision(7),
          isRecursive: true, counts: true, explains: true), in: .database)
      #expect(page.items.map(\.id) == ["1"] && page.next == "d" && page.count == 12)
      #expect(page.explanation.map { String(buffer: $0) } == #"{"scanned": 1}"#)
      #expect(page.warning.map { String(buffer: $0) } == "{}")
      await client.close()
    }
  }

  @Test("words are searched, and how well each result fits is told")
  func text() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      #expect(
        try connection.request().data.map { String(buffer: $0) }
          == #"{"where": {"$and": [{"$text": "\"event loop\" NOT old"}, {"n": {"$gt": 1}}]}}"#)
      let found = Self.item(1).dropLast() + #", "score": 1.5e-06, "snippet": "an **event loop**…"}"#
      try connection.answer(200, "OK", #"{"items": [\#(found), \#(Self.item(2))], "next": null}"#)
    } client: { (address) async throws in
      let client = DocketClient(address)
      let condition = QueryCondition.all([.text("\"event loop\" NOT old"), .field("n", .greater(1))])
      let items = try await client.query(DocumentQuery(where: condition), in: .collection("/n/")).items
      #expect(items.map(\.score) == [1.5e-06, nil])
      #expect(items.map(\.snippet) == ["an **event loop**…", nil])
      await client.close()
    }
  }

  @Test("all results are told, over pages of which one is empty")
  func sequence() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      for (cursor, items, next) in [
        ("", "\(Self.item(1)), \(Self.item(2))", #""b""#), (#", "after": "b""#, "", #""c""#),
        (#", "after": "c""#, Self.item(3), "null"),
      ] {
        let data = try connection.request().data.map { String(buffer: $0) }
        #expect(data == #"{"limit": 2\#(cursor)}"#)
        try connection.answer(200, "OK", #"{"items": [\#(items)], "next": \#(next)}"#)
      }
    } client: { (address) async throws in
      let client = DocketClient(address)
      var ids: [String] = []
      for try await item in client.results(of: DocumentQuery(limit: 2), in: .collection("/n/")) { ids.append(item.id) }
      #expect(ids == ["1", "2", "3"])
      await client.close()
    }
  }

  @Test("counts and aggregates")
  func aggregates() async throws {
    let groups = #"{"groups": [{"group": "a", "n": 3}], "next": null}"#
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      #expect(try connection.request().data.map { String(buffer: $0) } == #"{"limit": 0, "count": true}"#)
      try connection.answer(200, "OK", #"{"items": [], "next": null, "count": 9000000000}"#)
      #expect(
        try connection.request().data.map { String(buffer: $0) }
          == #"{"where": {"x": 1}, "aggregate": {"n": "count"}, "groupBy": "s"}"#)
      try connection.answer(200, "OK", groups)
      _ = try connection.request()
      try connection.answer(400, "Bad Request", #"{"error": "unknown_operator", "detail": "There is no $x."}"#)
    } client: { (address) async throws in
      let client = DocketClient(address)
      let count = try await client.count(in: .collection("/n/"))
      #expect(count == 9_000_000_000)
      let answer = try await client.aggregate(
        ByteBuffer(string: #"{"n": "count"}"#), groupBy: "s", where: .json(ByteBuffer(string: #"{"x": 1}"#)),
        in: .collection("/n/"))
      #expect(String(buffer: answer) == groups)
      let error = await #expect(throws: DocketClientError.self) {
        try await client.query(DocumentQuery(where: .json(ByteBuffer(string: "{}"))), in: .database)
      }
      guard case .refused(let refusal)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
      #expect(refusal.error == "unknown_operator")
      await client.close()
    }
  }

  @Test("requests that are started are sent in order, and again in order where that may be")
  func started() async throws {
    try await ScriptedServer.run { server in
      let lost = try server.accept()
      for number in 0..<3 { #expect(try lost.request().data.map { String(buffer: $0) } == "\(number)") }
      try lost.answer()
      lost.close()
      let connection = try server.accept()
      for number in 1..<3 {
        let request = try connection.request()
        #expect(request.data.map { String(buffer: $0) } == "\(number)")
        #expect(request.headers?["Idempotency-Key"] == nil)
        try connection.answer()
      }
    } client: { (address) async throws in
      let client = DocketClient(address)
      let answers = (0..<3).map {
        client.start(.post, "/_batch", checkedData: ByteBuffer(string: "\($0)"), isIdempotent: true)
      }
      for answer in answers {
        let code = try await answer.get().code
        #expect(code == 200)
      }
      let error = await #expect(throws: DocketClientError.self) {
        await client.close()
        _ = try await client.start(.get, "/", checkedData: nil, isIdempotent: true).get()
      }
      #expect(error == .clientClosed)
    }
  }
}
