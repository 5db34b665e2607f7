import DocketClient
import DocketTestSupport
import DocketWire
import Foundation
import NIOCore
import Testing

/// The cases that clients in all languages pass: clients/cases, whose README.md says what their members are.
extension EndToEnd {
  @Suite("serves its Swift client as it serves those in other languages")
  struct ClientCaseTests {
    private static let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../clients/cases")
      .standardized

    /// A file, and how many cases are in it at least: a list that was not found or not read passes nothing.
    @Test(
      "every case, in its order",
      arguments: [("access", 1), ("collections", 5), ("documents", 12), ("past", 3), ("terms", 6)])
    func cases(_ file: String, atLeast: Int) async throws {
      let data = try Data(contentsOf: Self.folder.appendingPathComponent("\(file).json"))
      let list = try JSONDecoder().decode(CaseList.self, from: data)
      #expect(list.cases.count >= atLeast)
      try await TemporaryDatabase.use { path in
        let server = try await blocking { try ServerProcess(database: path) }
        let client = DocketClient(.tcp(host: "127.0.0.1", port: server.port))
        for testCase in list.cases {
          var kept: [String: String] = [:]
          for (number, step) in testCase.steps.enumerated() {
            try await run(try step.filled(with: kept), by: client, "\(testCase.name), step \(number)", &kept)
          }
        }
        await client.close()
        let ending = try await blocking { server.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("and no file of cases is left out")
    func files() throws {
      let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasSuffix(".json") }
      #expect(names.sorted() == ["access.json", "collections.json", "documents.json", "past.json", "terms.json"])
    }

    private func run(
      _ step: CaseStep, by client: DocketClient, _ place: String, _ kept: inout [String: String]
    ) async throws {
      let comment = Comment(rawValue: "\(place): \(step.call) \(step.path ?? "")")
      let found: [String: CaseValue]
      do {
        found = try await client.call(step)
      } catch DocketClientError.refused(let refusal) {
        #expect(CaseStep.Refusal(code: refusal.code, error: refusal.error) == step.refused, comment)
        return
      } catch DocketClientError.invalidDocument {
        #expect(step.fails == "invalidDocument", comment)
        return
      }
      #expect(step.refused == nil && step.fails == nil, comment)
      for (name, expected) in step.expect ?? [:] {
        let value = try #require(found[name], comment)
        #expect(value.matches(try name == "json" ? expected.parsed() : expected), "\(place): \(name) is \(value)")
      }
      for (name, variable) in step.keep ?? [:] { kept[variable] = try #require(found[name]?.text, comment) }
    }
  }
}

private struct CaseList: Decodable {
  struct Case: Decodable {
    let name: String
    let steps: [CaseValue]
  }

  let cases: [Case]
}

/// Any JSON value in a list of cases.
private enum CaseValue: Codable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([CaseValue])
  case object([String: CaseValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([CaseValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: CaseValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  init(text: String?) { self = text.map(CaseValue.string) ?? .null }
  init(integer: Int64?) { self = integer.map { .number(Double($0)) } ?? .null }
  init(json: ByteBuffer) throws { self = try JSONDecoder().decode(CaseValue.self, from: Data(json.readableBytesView)) }

  /// As `${name}` stands for it.
  var text: String? {
    switch self {
    case .string(let text): text
    case .number(let number): Int64(exactly: number).map { String($0) } ?? "\(number)"
    case .null, .bool, .array, .object: nil
    }
  }

  /// The value that a text of JSON stands for; null is none.
  func parsed() throws -> CaseValue {
    guard case .string(let text) = self else { return self }
    return try CaseValue(json: ByteBuffer(string: text))
  }

  /// Whether this is what is expected; of objects in an array and of headers only the members that are named.
  func matches(_ expected: CaseValue) -> Bool {
    switch (self, expected) {
    case (.number, .string(let text)): self.text == text
    case (.array(let elements), .array(let wanted)):
      elements.count == wanted.count && zip(elements, wanted).allSatisfy { $0.matches($1) }
    case (.object(let members), .object(let wanted)):
      wanted.allSatisfy { name, value in members[name]?.matches(value) ?? false }
    // Swift holds texts equal that differ in their bytes.
    case (.string(let text), .string(let wanted)): text.utf8.elementsEqual(wanted.utf8)
    default: self == expected
    }
  }

  /// With what was kept in the places of its names.
  func replacing(_ kept: [String: String]) -> CaseValue {
    switch self {
    case .string(let text): .string(kept.reduce(text) { $0.replacingOccurrences(of: "${\($1.key)}", with: $1.value) })
    case .array(let elements): .array(elements.map { $0.replacing(kept) })
    case .object(let members): .object(members.mapValues { $0.replacing(kept) })
    case .null, .bool, .number: self
    }
  }

  func filled(with kept: [String: String]) throws -> CaseStep {
    try JSONDecoder().decode(CaseStep.self, from: try JSONEncoder().encode(replacing(kept)))
  }
}

private struct CaseStep: Decodable {
  struct Refusal: Decodable, Equatable {
    let code: Int
    let error: String?
  }

  struct Request: Decodable {
    let method: String
    let path: String
    let data: String?
    let ifMatch: String?
    let ifNoneMatch: String?
    let expiresIn: String?
  }

  let call: String
  let path: String?
  let method: String?
  let data: String?
  let headers: [String: String]?
  let ifMatch: String?
  let ifNoneMatch: String?
  let expiresIn: String?
  let asOf: String?
  let limit: Int?
  let after: String?
  let `where`: String?
  let sort: [String]?
  let fields: [String]?
  let recursive: Bool?
  let aggregate: String?
  let groupBy: String?
  let requests: [Request]?
  let since: String?
  let snapshot: Bool?
  let take: Int?
  let expect: [String: CaseValue]?
  let refused: Refusal?
  let fails: String?
  let keep: [String: String]?

  var target: String { path ?? "" }
  var json: ByteBuffer { ByteBuffer(string: data ?? "") }
  var options: WriteOptions { WriteOptions(ifMatch, ifNoneMatch, expiresIn) }
  var moment: PointInTime? { asOf.map { text in Int64(text).map { .revision($0) } ?? .time(text) } }
  var condition: QueryCondition? { self.where.map { .json(ByteBuffer(string: $0)) } }
  var scope: QueryScope { target == "/_documents" ? .database : .collection(target) }

  var query: DocumentQuery {
    DocumentQuery(
      where: condition, sort: sort ?? [], fields: fields ?? [], limit: limit, after: after, asOf: moment,
      isRecursive: recursive ?? false)
  }

  var watchScope: WatchScope {
    if target == "/_changes" { return .database }
    return target.hasSuffix("/") ? .collection(target, isRecursive: recursive ?? false) : .document(target)
  }

  var start: WatchStart {
    if snapshot == true { return .snapshot }
    return since.flatMap { Int64($0) }.map { .since($0) } ?? .now
  }
}

extension WriteOptions {
  /// The terms as cases name them.
  fileprivate init(_ ifMatch: String?, _ ifNoneMatch: String?, _ expiresIn: String?) {
    let condition: Condition? =
      ifNoneMatch == "*" ? .absent : ifMatch.flatMap { Int64($0).map { .revision($0) } ?? .exists }
    self.init(condition: condition, lifetime: expiresIn.flatMap { Int64($0).map { .seconds($0) } ?? .forever })
  }
}

/// A step that names an operation which the client lacks.
private struct UnknownOperation: Error {
  let name: String
}

extension DocketClient {
  /// Calls what a step names, and tells what it brings as the cases have it.
  fileprivate func call(_ step: CaseStep) async throws -> [String: CaseValue] {
    switch step.call {
    case "get":
      if let moment = step.moment { return ["text": .string(String(buffer: try await get(step.target, asOf: moment)))] }
      return ["text": .string(String(buffer: try await get(step.target)))]
    case "put": return told(try await put(step.target, data: step.json, options: step.options))
    case "post": return told(try await post(step.target, data: step.json, options: step.options))
    case "patch": return told(try await patch(step.target, data: step.json, options: step.options))
    case "restore":
      guard let moment = step.moment else { throw UnknownOperation(name: "restore without a moment") }
      return told(try await restore(step.target, to: moment, options: step.options))
    case "delete":
      try await delete(step.target, options: step.options)
      return [:]
    case "list":
      return told(try await list(step.target, limit: step.limit, after: step.after, asOf: step.moment))
    case "documents":
      return told(
        try await all(documents(in: step.target, pageSize: step.limit, after: step.after, asOf: step.moment)))
    case "query": return told(try await query(step.query, in: step.scope))
    case "results": return told(try await all(results(of: step.query, in: step.scope)))
    case "count":
      let count = try await count(
        where: step.condition, in: step.scope, isRecursive: step.recursive ?? false, asOf: step.moment)
      return ["value": CaseValue(integer: count)]
    case "newestRevision": return ["value": CaseValue(integer: try await newestRevision())]
    case "aggregate":
      let answer = try await aggregate(
        ByteBuffer(string: step.aggregate ?? ""), groupBy: step.groupBy, where: step.condition, in: step.scope,
        isRecursive: step.recursive ?? false, asOf: step.moment)
      guard case .object(let members) = try CaseValue(json: answer), let groups = members["groups"] else { return [:] }
      return ["json": groups]
    case "echo": return ["json": try CaseValue(json: try await echo(step.json))]
    case "settings": return ["json": try await settings(of: step.target).map { try CaseValue(json: $0) } ?? .null]
    case "setSettings":
      try await set(step.json, for: step.target)
      return [:]
    case "removeSettings":
      try await removeSettings(of: step.target)
      return [:]
    case "history":
      let page = try await history(of: step.target, limit: step.limit, after: step.after)
      return [
        "kinds": .array(page.versions.map { CaseValue(text: $0.kind) }),
        "sizes": .array(page.versions.map { CaseValue(integer: $0.size) }),
        "more": .bool(page.next != nil), "next": CaseValue(text: page.next),
      ]
    case "batch": return try await answers(step.requests ?? [])
    case "request": return try await answer(step)
    case "watch": return try await events(step)
    default: throw UnknownOperation(name: step.call)
    }
  }

  private func told(_ receipt: WriteReceipt) -> [String: CaseValue] {
    [
      "created": .bool(receipt.isCreated), "path": .string(receipt.path), "id": .string(receipt.id),
      "revision": CaseValue(integer: receipt.revision),
    ]
  }

  private func all<Items: AsyncSequence>(_ items: Items) async throws -> [DocumentPage.Item]
  where Items.Element == DocumentPage.Item {
    var all: [DocumentPage.Item] = []
    for try await item in items { all.append(item) }
    return all
  }

  private func told(_ items: [DocumentPage.Item]) -> [String: CaseValue] {
    [
      "paths": .array(items.map { .string($0.path) }), "ids": .array(items.map { .string($0.id) }),
      "texts": .array(items.map { .string(String(buffer: $0.document)) }),
    ]
  }

  private func told(_ page: DocumentPage) -> [String: CaseValue] {
    told(page.items).merging([
      "more": .bool(page.next != nil), "next": CaseValue(text: page.next), "count": CaseValue(integer: page.count),
    ]) { $1 }
  }

  private func answers(_ requests: [CaseStep.Request]) async throws -> [String: CaseValue] {
    let batched = try requests.map { request in
      BatchedRequest(
        try #require(Method(rawValue: request.method)), request.path, data: request.data.map { ByteBuffer(string: $0) },
        options: WriteOptions(request.ifMatch, request.ifNoneMatch, request.expiresIn))
    }
    let answers = try await batch(batched).map { answer in
      CaseValue.object(["code": .number(Double(answer.code)), "text": .string(String(buffer: answer.data))])
    }
    return ["answers": .array(answers)]
  }

  private func answer(_ step: CaseStep) async throws -> [String: CaseValue] {
    let answer = try await request(
      try #require(Method(rawValue: step.method ?? "")), step.target, data: step.data.map { ByteBuffer(string: $0) },
      headers: step.headers.map { Headers($0.map { ($0.key, $0.value) }) })
    var members: [String: CaseValue] = [:]
    if case .object(let found) = try CaseValue(json: answer.data) { members = found }
    var headers: [String: CaseValue] = [:]
    if case .object(let named)? = step.expect?["headers"] {
      for name in named.keys { headers[name] = CaseValue(text: answer.headers?[name]) }
    }
    return [
      "code": .number(Double(answer.code)), "text": .string(String(buffer: answer.data)),
      "error": members["error"] ?? .null, "token": members["token"] ?? .null, "headers": .object(headers),
    ]
  }

  private func events(_ step: CaseStep) async throws -> [String: CaseValue] {
    var events: [CaseValue] = []
    for try await event in watch(step.watchScope, WatchOptions(from: step.start, where: step.condition)) {
      events.append(CaseValue(event))
      if events.count == step.take { break }
    }
    return ["events": .array(events)]
  }
}

extension CaseValue {
  fileprivate init(_ event: WatchEvent) {
    switch event {
    case .change(let change):
      self = .object([
        "kind": .string(change.kind.rawValue), "path": .string(change.path),
        "text": CaseValue(text: change.document.map { String(buffer: $0) }),
      ])
    case .live: self = .object(["kind": .string("live")])
    case .heartbeat: self = .object(["kind": .string("heartbeat")])
    case .reset: self = .object(["kind": .string("reset")])
    case .interrupted: self = .object(["kind": .string("interrupted")])
    }
  }
}
