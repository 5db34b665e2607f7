/// The grammar of paths as it holds for what is stored; the view `documents` and the server keep to the same.
enum StoredPath {
  /// In bytes, collection and id together.
  static let maximumBytes = 1_024

  /// What is wrong with a path; nil if nothing is.
  static func problem(collection: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer) -> String? {
    if let problem = problem(collection: collection) { return problem }
    if id.isEmpty || isDots(id[...]) { return "the id is empty, . or .." }
    if id.contains(UInt8(ascii: "/")) { return "the id holds a slash" }
    if let problem = characters(id) { return "the id \(problem)" }
    return collection.count + id.count > maximumBytes ? "it is longer than 1,024 bytes" : nil
  }

  static func problem(collection: UnsafeRawBufferPointer) -> String? {
    guard collection.count >= 3, collection.first == UInt8(ascii: "/"), collection.last == UInt8(ascii: "/") else {
      return "the collection is not like /notes/"
    }
    if collection[1] == UInt8(ascii: "_") { return "the collection begins with /_" }
    for segment in collection[1..<(collection.count - 1)].split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    where segment.isEmpty || isDots(segment) {
      return "a segment of the collection is empty, . or .."
    }
    if let problem = characters(collection) { return "the collection \(problem)" }
    return collection.count > maximumBytes ? "it is longer than 1,024 bytes" : nil
  }

  private static func isDots(_ segment: Slice<UnsafeRawBufferPointer>) -> Bool {
    segment.count <= 2 && segment.allSatisfy { $0 == UInt8(ascii: ".") }
  }

  private static func characters(_ text: UnsafeRawBufferPointer) -> String? {
    if text.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "holds control characters" }
    guard text.contains(where: { $0 >= 0x80 }) else { return nil }
    return String(validating: text, as: UTF8.self) == nil ? "is not UTF-8" : nil
  }
}
