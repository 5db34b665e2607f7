import DocketWire
import Foundation
import NIOCore

/// The store on SQLite answers every sequence of requests as its model does, word for word, and holds the same in the end.
///
/// Both are used again: what a run has left is deleted, and revisions and times count on from where they are.
final class StoreTarget: FuzzTarget {
  private let isPlanted: Bool
  private let clock = FuzzClock()
  private var sqlite: DrivenStore
  private var model: DrivenStore
  private var runs = 0
  private var revision: Int64 = 0
  private var log: [Request] = []
  private var changedSettings: Set<String> = []
  private var hasLifetimes = false
  /// Expired documents are cleared away by SQLite's writer when it has the time. So from here on the revisions of the two
  /// part, and no number is compared; nor is the past, in which it stands when that was.
  private var mayHaveExpired = false

  /// After so many runs both begin anew, so that what is long past costs nothing.
  private static let runsOfAStore = 200
  private static let maximumSteps = 24

  init(isPlanted: Bool) {
    self.isPlanted = isPlanted
    sqlite = DrivenStore.sqlite(clock: clock)
    model = DrivenStore.model(clock: clock)
  }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    runs += 1
    if runs % Self.runsOfAStore == 0 { beginAnew() }
    log = []
    let grammar = RequestGrammar(revision: revision, run: runs)
    for _ in 0..<Self.maximumSteps where !input.isEmpty {
      switch grammar.step(&input) {
      case .wait(let milliseconds):
        clock.move(by: milliseconds)
        if hasLifetimes { mayHaveExpired = true }
      case .request(let request):
        if mayHaveExpired, request.namesRevision { continue }
        hasLifetimes = hasLifetimes || request.setsLifetime
        compare(request)
        let path = String(buffer: request.path)
        if request.method == .put, path.hasPrefix("/_collections") {
          changedSettings.insert(String(path.dropFirst("/_collections".count)))
        }
      }
    }
    clear()
  }

  private func beginAnew() {
    sqlite.close()
    model.close()
    sqlite = DrivenStore.sqlite(clock: clock)
    model = DrivenStore.model(clock: clock)
    revision = 0
  }

  private func compare(_ request: Request) { _ = compare(request, request) }

  /// - Parameter other: what the model is asked, where ids are the store's own.
  private func compare(_ request: Request, _ other: Request) -> (found: Response, expected: Response) {
    log.append(request)
    var found = sqlite.answer(request)
    let expected = model.answer(other)
    if isPlanted, String(buffer: request.path).hasSuffix("/zz"), found.status == .created {
      found.data = ByteBuffer(string: "\"flipped\"")
    }
    guard found == expected || comparable(found, request) == comparable(expected, request) else {
      broken(
        "SQLite and the model answer differently",
        "\(asked)\nrevisions from \(revision)\nSQLite: \(found.text)\nmodel:  \(expected.text)")
    }
    return (found, expected)
  }

  private var asked: String {
    var text = ByteBuffer()
    for request in log {
      text.writeRequest(request, terminated: false)
      text.writeStaticString("\n")
    }
    return String(buffer: text)
  }

  /// Without what may differ: ids that a store makes, the cursors that hold them, the name of the history, and which two are
  /// named of more documents that have the same.
  private func comparable(_ response: Response, _ request: Request) -> String {
    var text = Self.maskingIDs(response.text)
    if response.status == .conflict {
      text.replace(/the documents '.*?' and '.*?' have the same/, with: "two documents have the same")
    }
    if mayHaveExpired { text.replace(/[0-9]+/, with: "0") }
    let path = String(buffer: request.path)
    let ends = [("/_changes", ", \"history\": "), ("/_documents", ", \"next\": \"")]
    for (prefix, end) in ends where path.hasPrefix(prefix) {
      if let mark = text.range(of: end, options: .backwards) { text = String(text[..<mark.lowerBound]) }
    }
    return text
  }

  /// Puts a `#` for each UUID behind `/item/` and in `"id"`.
  private static func maskingIDs(_ text: String) -> String {
    guard text.contains("-7") else { return text }
    var bytes = Array(text.utf8)
    var place = 0
    while place + 36 <= bytes.count {
      let isID = (0..<36).allSatisfy { offset in
        let byte = bytes[place + offset]
        return [8, 13, 18, 23].contains(offset)
          ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
      }
      if isID { bytes.replaceSubrange(place..<place + 36, with: [UInt8(ascii: "#")]) }
      place += 1
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Deletes all, and holds what there was against each other.
  private func clear() {
    for collection in changedSettings { compare(RequestGrammar.make(.delete, "/_collections" + collection)) }
    changedSettings = []
    let all = RequestGrammar.make(.get, "/_documents?limit=1000")
    let (found, expected) = compare(all, all)
    let (own, others) = (Self.deletion(of: found), Self.deletion(of: expected))
    if let own, let others { _ = compare(own, others) }
    if mayHaveExpired { beginAnew() }
    (hasLifetimes, mayHaveExpired) = (false, false)
    revision = sqlite.newestRevision
    guard revision == model.newestRevision else { broken("the revisions part", asked) }
  }

  /// A batch that deletes all of a page.
  private static func deletion(of page: Response) -> Request? {
    let tree = page.data.flatMap { ReferenceJSON($0.readableBytesView, depth: 140) }
    guard case .array(let items)? = tree?.member("items"), !items.isEmpty else { return nil }
    let requests = items.map { item -> String in
      guard case .string(let path)? = item.member("path") else { broken("a document has no path") }
      return "{\"method\":\"DELETE\",\"path\":\"\(String(decoding: path, as: UTF16.self))\"}"
    }
    return RequestGrammar.make(.post, "/_batch", "{\"requests\":[\(requests.joined(separator: ","))]}")
  }
}

extension Request {
  /// Whether what it asks depends on the numbers of changes.
  fileprivate var namesRevision: Bool {
    let path = String(buffer: path)
    return ["since", "asOf", "restore", "history", "after", "_changes", "@revision"].contains { path.contains($0) }
      || headers?["If-Match"].map { $0 != "*" } == true || headers?["If-None-Match"].map { $0 != "*" } == true
      || data.map { text in
        ["If-Match", "If-None-Match", "after", "asOf"].contains { String(buffer: text).contains($0) }
      }
        == true
  }

  fileprivate var setsLifetime: Bool {
    headers?["Expires-In"] != nil
      || data.map { text in ["Expires-In", "expire"].contains { String(buffer: text).contains($0) } } == true
  }
}
