import DocketWire
import NIOCore

/// A query finds the same with an index, without one, and in the model; page by page what it finds at once.
///
/// The first byte says whether a grammar makes the query of the others, or they are its data themselves.
final class QueryTarget: FuzzTarget {
  private let isPlanted: Bool
  private let indexed: DrivenStore
  private let plain: DrivenStore
  private let model: DrivenStore

  init(isPlanted: Bool) {
    self.isPlanted = isPlanted
    let clock = FuzzClock()
    (indexed, plain, model) = (.sqlite(clock: clock), .sqlite(clock: clock), .model(clock: clock))
    let settings = #"{"indexes":[["a","-b"],["b"],["c","a"],["-a.b"]]}"#
    _ = indexed.answer(RequestGrammar.make(.put, "/_collections/n/", settings))
    for store in [indexed, plain, model] { Self.fill(store) }
  }

  private static func fill(_ store: DrivenStore) {
    for (number, document) in (RequestGrammar.documents + RequestGrammar.documents).enumerated() {
      let path = number < RequestGrammar.documents.count ? "/n/\(number)" : "/n/1/x/\(number)"
      let response = store.answer(RequestGrammar.make(.put, path, document))
      guard response.status == .created else { broken("the store is not filled", response.text) }
    }
  }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let request: Request
    switch input.choose(3) {
    case 0: request = RequestGrammar.query("/n/", &input)
    case 1:
      let data = String(decoding: input.all(), as: UTF8.self)
      guard ReferenceJSON(data.utf8) != nil else { return }
      request = RequestGrammar.make(.get, "/n/", data)
    default: request = RequestGrammar.make(.get, "/n/?" + String(decoding: input.all(), as: UTF8.self))
    }
    var text = ByteBuffer()
    text.writeRequest(request, terminated: false)
    let question = String(buffer: text)
    // Of words only the store with their index knows, and how a query was carried out is its own.
    guard !question.contains("$text"), !question.contains("explain"), !question.contains("watch") else {
      for store in [indexed, plain] where !question.contains("watch") { _ = store.answer(request) }
      return
    }
    let expected = model.answer(request)
    var found = indexed.answer(request)
    if isPlanted, question.contains("\"@id\":\"zz\"") { found.status = .created }
    for (name, answer) in [("with an index", found), ("without", plain.answer(request))]
    where answer.text != expected.text {
      broken("a query is answered differently \(name)", "\(question)\nfound \(answer.text)\nmodel \(expected.text)")
    }
  }
}
