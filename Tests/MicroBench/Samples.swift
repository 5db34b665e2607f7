import DocketStore

/// The documents and requests that are measured: those of `docket bench`.
enum Samples {
  static let collection = "/bench/"
  /// Of 100 bytes.
  static let document = document(bytes: 100)

  /// JSON with one long string.
  static func document(bytes: Int) -> String {
    let frame = #"{"title":"hello","n":42,"text":""}"#
    return frame.dropLast(2) + String(repeating: "x", count: bytes - frame.utf8.count) + "\"}"
  }

  /// JSON with many small parts.
  static func array(bytes: Int) -> String {
    let elements = Array(repeating: document, count: bytes / (document.utf8.count + 1)).joined(separator: ",")
    return "[" + elements + String(repeating: " ", count: bytes - elements.utf8.count - 2) + "]"
  }

  static func id(_ key: Int) -> String {
    let digits = String(key)
    return String(repeating: "0", count: 10 - digits.utf8.count) + digits
  }

  static func path(_ key: Int) -> String { collection + id(key) }

  static func documentPath(_ key: Int) -> DocumentPath {
    DocumentPath(collection: CollectionPath(unchecked: collection), id: id(key))
  }

  static func get(_ key: Int) -> String { #"{"method":"GET","path":"\#(path(key))"}"# }

  static func put(_ key: Int) -> String { #"{"method":"PUT","path":"\#(path(key))","data":\#(document)}"# }

  static let getPage = #"{"method":"GET","path":"\#(collection)?limit=100"}"#
}
