/// What lies directly in an array or an object of valid JSON text, found in one walk. White space may stand around it.
public enum JSONChildren {
  /// The members of an object in the order of the text, equal keys included; nil if the value is none.
  static func members(of text: UnsafeRawBufferPointer) -> [JSONMember]? {
    var scanner = JSONScanner(text)
    scanner.skipWhitespace()
    guard var walk = try? JSONMembers(of: scanner) else { return nil }
    var members: [JSONMember] = []
    while let member = try? walk.next() { members.append(member) }
    return members
  }

  /// An element of an array, counted from 0; nil if there is none.
  public static func element(_ index: Int, of text: UnsafeRawBufferPointer) -> Range<Int>? {
    guard let elements = elements(of: text), elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The elements of an array; nil if the value is none.
  public static func elements(of text: UnsafeRawBufferPointer) -> [Range<Int>]? {
    var scanner = JSONScanner(text)
    scanner.skipWhitespace()
    guard scanner.next == UInt8(ascii: "[") else { return nil }
    scanner.offset += 1
    scanner.skipWhitespace()
    guard scanner.next != UInt8(ascii: "]") else { return [] }
    var elements: [Range<Int>] = []
    repeat {
      guard let element = try? scanner.skipValue() else { break }
      elements.append(element)
    } while (try? scanner.skipSeparator(closing: UInt8(ascii: "]"))) == true
    return elements
  }
}
