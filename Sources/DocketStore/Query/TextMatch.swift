import DocketJSON

/// A document that a search for words has found.
public struct TextMatch: Sendable {
  public let document: Document
  /// How well it fits, by the words that it holds and how rare they are; greater is better. nil where the query has another
  /// order.
  public let score: Double?
  /// The piece of its texts that fits best, each match between `**` and `**`, and `…` where it is cut.
  public let snippet: String

  public init(document: Document, score: Double?, snippet: String) {
    self.document = document
    self.score = score
    self.snippet = snippet
  }
}

extension Query {
  /// Whether what fits best comes first. What fits equally well follows by its id.
  public var isRanked: Bool { text != nil && order?.isEmpty == true }
}

extension Query.Position {
  /// A place in a ranked order.
  public init(score: Double, path: DocumentPath) {
    let token = Array("\(score)".utf8)
    self.init(values: [.number(token.withUnsafeBytes { JSONDecimal($0) })], path: path)
  }

  /// The score of a place in a ranked order; nil of another one.
  public var score: Double? {
    guard case .number(let number)? = values.first else { return nil }
    return Double(String(decoding: number.token, as: UTF8.self))
  }
}
