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
  private var log: [String] = []

  /// After so many runs both begin anew, so that what is long past costs nothing.
  private static let runsOfAStore = 200
  private static let maximumSteps = 24

  init(isPlanted: Bool) {
    self.isPlanted = isPlanted
    sqlite = DrivenStore.sqlite(clock: clock)
    model = DrivenStore.model(clock: clock)
    atexit { StoreFolders.removeAll() }
  }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    runs += 1
    if runs % Self.runsOfAStore == 0 { beginAnew() }
    log = []
    let grammar = RequestGrammar(revision: revision, run: runs)
    for _ in 0..<Self.maximumSteps where !input.isEmpty {
      switch grammar.step(&input) {
      case .wait(let milliseconds): clock.move(by: milliseconds)
      case .request(let request): _ = compare(request)
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

  private func compare(_ request: Request) -> Response {
    var text = ByteBuffer()
    text.writeRequest(request, terminated: false)
    log.append(String(buffer: text))
    var found = sqlite.answer(request)
    let expected = model.answer(request)
    if isPlanted, request.method == .get, String(buffer: request.path).hasSuffix("/zz"), found.status == .ok {
      found.data = ByteBuffer(string: "\"flipped\"")
    }
    guard Self.comparable(found, request) == Self.comparable(expected, request) else {
      broken(
        "SQLite and the model answer differently",
        "\(log.joined(separator: "\n"))\nrevisions from \(revision)\nSQLite: \(found.text)\nmodel:  \(expected.text)")
    }
    return found
  }

  /// Without what may differ: the name of the history, and how a query was carried out.
  private static func comparable(_ response: Response, _ request: Request) -> String {
    var text = response.text
    let path = String(buffer: request.path)
    if path.hasPrefix("/_changes"), let mark = text.range(of: ", \"history\": ") {
      text = String(text[..<mark.lowerBound])
    }
    return text
  }

  /// Deletes all, and holds what there was against each other.
  private func clear() {
    for collection in RequestGrammar.collections {
      _ = compare(RequestGrammar.make(.delete, "/_collections" + collection))
    }
    var requests: [String] = []
    for collection in RequestGrammar.collections {
      let page = compare(RequestGrammar.make(.get, collection + "?limit=1000"))
      for id in Self.ids(page) { requests.append("{\"method\":\"DELETE\",\"path\":\"\(collection)\(id)\"}") }
    }
    let list = compare(RequestGrammar.make(.get, "/list"))
    if case .array(let elements)? = list.data.flatMap({ ReferenceJSON($0.readableBytesView, depth: 129) }) {
      // Each by itself: its id is the store's own.
      for _ in elements { deleteFirstOfList() }
    }
    if !requests.isEmpty {
      _ = compare(RequestGrammar.make(.post, "/_batch", "{\"requests\":[\(requests.joined(separator: ","))]}"))
    }
    revision = newestRevision()
  }

  private static func ids(_ page: Response) -> [String] {
    guard
      case .array(let items)? = page.data.flatMap({ ReferenceJSON($0.readableBytesView, depth: 131) })?.member("items")
    else { return [] }
    return items.compactMap { item in
      guard case .string(let units)? = item.member("id") else { return nil }
      return String(decoding: units, as: UTF16.self)
    }
  }

  private func deleteFirstOfList() {
    let list = model.answer(RequestGrammar.make(.get, "/list"))
    guard let data = list.data, let first = data.withUnsafeReadableBytes({ Self.firstElement($0) }) else { return }
    _ = compare(RequestGrammar.make(.delete, "/item", first))
  }

  private static func firstElement(_ list: UnsafeRawBufferPointer) -> String? {
    // The shortest beginning that is JSON and behind which the list goes on or ends.
    let inner = list.dropFirst().dropLast()
    for end in inner.indices.map({ $0 + 1 }) {
      let piece = inner[inner.startIndex..<end]
      let isWhole = end == inner.endIndex || inner[end] == UInt8(ascii: ",")
      if isWhole, ReferenceJSON(piece) != nil { return String(decoding: piece, as: UTF8.self) }
    }
    return nil
  }

  private func newestRevision() -> Int64 {
    let answers = [sqlite, model].map { store -> Int64? in
      let response = store.answer(RequestGrammar.make(.put, "/n/1", "0"))
      _ = store.answer(RequestGrammar.make(.delete, "/n/1"))
      guard
        case .number(let digits)? = response.data.flatMap({ ReferenceJSON($0.readableBytesView) })?.member("revision")
      else { return nil }
      return Int64(String(decoding: digits, as: UTF8.self))
    }
    guard let newest = answers[0], newest == answers[1] else { broken("the revisions part", "\(answers)") }
    return newest + 1
  }
}
