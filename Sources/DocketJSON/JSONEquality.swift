/// Whether two JSON texts are the same value: numbers by their exact decimal value, strings by code units,
/// objects without regard to the order of keys (the last of equal keys counts).
///
/// The work grows with the length of the texts, whatever they hold.
public enum JSONEquality {
  /// - Parameters: two valid JSON texts. One that is not valid is the same as no other.
  public static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard let a = try? JSONTape(a), let b = try? JSONTape(b) else { return false }
    return same(a, JSONTape.root, b, JSONTape.root)
  }

  /// Calls itself no deeper than the tapes nest, which is `JSONLimits.maximumDepth`.
  private static func same(_ a: JSONTape, _ x: Int, _ b: JSONTape, _ y: Int) -> Bool {
    switch (a.firstByte(of: x), b.firstByte(of: y)) {
    case (UInt8(ascii: "{"), UInt8(ascii: "{")):
      return sameObjects(a, x, b, y)
    case (UInt8(ascii: "["), UInt8(ascii: "[")):
      return sameArrays(a, x, b, y)
    case (UInt8(ascii: "\""), UInt8(ascii: "\"")):
      return a.string(x) == b.string(y)
    case (let first, let second) where isNumber(first) && isNumber(second):
      return JSONNumber(a.text(of: x)) == JSONNumber(b.text(of: y))
    case (let first, let second):
      // What is left is true, false and null, each with its own first letter, and values of two kinds.
      return first == second
    }
  }

  private static func sameArrays(_ a: JSONTape, _ x: Int, _ b: JSONTape, _ y: Int) -> Bool {
    var (first, second) = (x + 1, y + 1)
    while first < a.next(after: x), second < b.next(after: y) {
      guard same(a, first, b, second) else { return false }
      (first, second) = (a.next(after: first), b.next(after: second))
    }
    return first == a.next(after: x) && second == b.next(after: y)
  }

  private static func sameObjects(_ a: JSONTape, _ x: Int, _ b: JSONTape, _ y: Int) -> Bool {
    let first = lastMembers(of: x, in: a)
    let second = lastMembers(of: y, in: b)
    guard first.count == second.count else { return false }
    return first.allSatisfy { key, value in
      guard let other = second[key] else { return false }
      return same(a, value, b, other)
    }
  }

  private static func lastMembers(of object: Int, in tape: JSONTape) -> [JSONStringContent: Int] {
    Dictionary(tape.members(of: object).map { (tape.string($0.key), $0.value) }, uniquingKeysWith: { $1 })
  }

  private static func isNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || JSONScanner.isDigit(byte) }
}
