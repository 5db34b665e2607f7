import NIOCore

@testable import DocketJSON

/// JSON is what RFC 8259 calls so, and what is said of it is true: equality, the order of numbers, strings, layout.
///
/// Two texts with a NUL between them.
final class JSONTarget: FuzzTarget {
  private let isPlanted: Bool

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let (first, second) = (input.part(), input.all())
    let (one, other) = (check(first), check(second))
    guard let one else { return }
    checkLayout(first, one)
    guard let other else { return }
    if let isSame = one.isSame(as: other), JSONEquality.same(first, second) != isSame {
      broken("equality is not that of the values", "\(shown(first)) and \(shown(second)): \(isSame)")
    }
    if case .number(let a) = one, case .number(let b) = other { compare(a, b) }
  }

  /// Whether it is JSON, at several depths.
  private func check(_ bytes: UnsafeRawBufferPointer) -> ReferenceJSON? {
    let tree = ReferenceJSON(bytes)
    for depth in [JSONLimits.maximumDepth, 3] {
      let isValid = (try? JSONScanner.validate(bytes, maximumDepth: depth)) != nil
      var expected = tree.map { $0.depth <= depth } ?? false
      if isPlanted, bytes.elementsEqual("-0".utf8) { expected = false }
      guard isValid == expected else { broken("valid is not what RFC 8259 calls so", "\(shown(bytes)) \(isValid)") }
    }
    if case .string(let units)? = tree { checkString(bytes, units) }
    if case .object? = tree { checkMembers(bytes) }
    return tree
  }

  private func checkString(_ bytes: UnsafeRawBufferPointer, _ units: [UInt16]) {
    var scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
    guard let token = try? scanner.skipString() else { broken("a string is not skipped", shown(bytes)) }
    let text = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[token.range]))
    guard text.map({ Array($0.utf16) }) == String(validating: units, as: UTF16.self).map({ Array($0.utf16) }) else {
      broken("a string says something else", shown(bytes))
    }
    guard let text else { return }
    var written: [UInt8] = []
    JSONString.encode(text, into: &written)
    guard case .string(let again)? = ReferenceJSON(written), again == units else {
      broken("a string is written as another", shown(written))
    }
  }

  private func checkMembers(_ bytes: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
    guard var members = try? JSONMembers(of: scanner) else { broken("an object has no members", shown(bytes)) }
    do {
      while let member = try members.next() {
        guard ReferenceJSON(bytes[member.value]) != nil, ReferenceJSON(bytes[member.key.range]) != nil else {
          broken("a member is no JSON", shown(bytes))
        }
      }
      try members.finish()
    } catch { broken("the members of an object are refused", "\(shown(bytes)) \(error)") }
  }

  private func checkLayout(_ bytes: UnsafeRawBufferPointer, _ tree: ReferenceJSON) {
    let pretty = JSONFormatter.pretty(bytes)
    guard let again = ReferenceJSON(pretty), again.isSame(as: tree) != false else {
      broken("a layout changes the value", "\(shown(bytes)) \(shown(pretty))")
    }
    guard pretty.withUnsafeBytes({ JSONFormatter.pretty($0) }) == pretty else {
      broken("a layout is not what is laid out so", shown(pretty))
    }
  }

  private func compare(_ a: [UInt8], _ b: [UInt8]) {
    guard let first = ReferenceNumber(a), let second = ReferenceNumber(b) else { return }
    let (one, other) = (a.withUnsafeBytes { JSONDecimal($0) }, b.withUnsafeBytes { JSONDecimal($0) })
    guard (one == other) == (first == second), (one < other) == (first < second), (other < one) == (second < first)
    else { broken("numbers compare as they do not", "\(shown(a)) \(shown(b))") }
    guard let again = ReferenceNumber(one.token), again == first else { broken("a number is another", shown(a)) }
  }
}
