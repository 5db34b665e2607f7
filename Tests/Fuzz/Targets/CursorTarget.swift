import DocketJSON
import DocketStore

@testable import DocketService

/// A cursor names the place that it was made of, and what has been altered is no cursor. So with times.
///
///     kind 1 | what it is made of, or its text
final class CursorTarget: FuzzTarget {
  private let isPlanted: Bool

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    switch input.choose(5) {
    case 0: readText(String(decoding: input.all(), as: UTF8.self))
    case 1: pageCursor(&input)
    case 2: queryCursor(&input)
    case 3: sealed(&input)
    default: time(String(decoding: input.all(), as: UTF8.self))
    }
  }

  private static let collection = CollectionPath(unchecked: "/n/")

  private static let query: Fingerprint = {
    var fingerprint = Fingerprint()
    fingerprint.add("a query")
    return fingerprint
  }()

  private func readText(_ text: String) {
    for isOfPast in [false, true] {
      if let cursor = Cursor(text, in: Self.collection, isOfPast: isOfPast), cursor.text != text.lowercased() {
        broken("a cursor has two texts", text)
      }
      for keys in 0..<4 { readQueryText(text, keys: keys, isOfPast: isOfPast) }
    }
  }

  private func readQueryText(_ text: String, keys: Int, isOfPast: Bool) {
    guard let cursor = QueryCursor(text, of: Self.query, keys: keys, isOfPast: isOfPast) else { return }
    guard let again = QueryCursor(cursor.text(of: Self.query), of: Self.query, keys: keys, isOfPast: isOfPast),
      again.position.path == cursor.position.path, again.revision == cursor.revision
    else { broken("a cursor written again is another", text) }
  }

  private func pageCursor(_ input: inout FuzzInput) {
    let revision = input.flip() ? Revision(Int64(input.byte()) << Int64(input.choose(56))) : nil
    let place = input.choose(64)
    let change = UInt8(input.choose(255) + 1)
    let id = String(decoding: input.all(), as: UTF8.self)
    guard !id.isEmpty else { return }
    let cursor = Cursor(id: id, in: Self.collection, asOf: revision)
    guard let again = Cursor(cursor.text, in: Self.collection, isOfPast: revision != nil), again == cursor,
      again.id.utf8.elementsEqual(id.utf8)
    else { broken("a cursor is not read as it was made", cursor.text) }
    if isPlanted, id == "zz" { broken("a planted fault") }
    if Cursor(Self.altered(cursor.text, place, change), in: Self.collection, isOfPast: revision != nil) != nil {
      broken("an altered cursor is taken", cursor.text)
    }
  }

  private func queryCursor(_ input: inout FuzzInput) {
    let revision = input.flip() ? Revision(Int64(input.byte())) : nil
    let place = input.choose(64)
    let change = UInt8(input.choose(255) + 1)
    var values: [QueryValue] = []
    for _ in 0..<input.choose(4) { values.append(value(&input)) }
    let id = String(decoding: input.all(), as: UTF8.self)
    let position = Query.Position(values: values, path: DocumentPath(collection: Self.collection, id: id))
    let text = QueryCursor(position, asOf: revision).text(of: Self.query)
    guard let again = QueryCursor(text, of: Self.query, keys: values.count, isOfPast: revision != nil) else {
      broken("a cursor is no cursor", text)
    }
    guard again.position.path == position.path, again.revision == revision,
      QueryCursor(again.position, asOf: again.revision).text(of: Self.query) == text
    else { broken("a cursor is not read as it was made", text) }
    let altered = Self.altered(text, place, change)
    if QueryCursor(altered, of: Self.query, keys: values.count, isOfPast: revision != nil) != nil {
      broken("an altered cursor is taken", text)
    }
  }

  private func value(_ input: inout FuzzInput) -> QueryValue {
    switch input.choose(7) {
    case 0: return .missing
    case 1: return .null
    case 2: return .false
    case 3: return .true
    case 4:
      let token = Array(input.bytes(input.choose(24)))
      guard case .number? = ReferenceJSON(token), token.first.map({ $0 > 0x20 }) == true,
        token.last.map({ $0 > 0x20 }) == true
      else { return .number(JSONDecimal(Int64(token.count))) }
      return .number(token.withUnsafeBytes { JSONDecimal($0) })
    case 5: return .string(Array(input.bytes(input.choose(24))))
    default: return .composite([])
    }
  }

  /// Bytes with their checksum in front, as somebody makes them who knows how: they may say whatever they say.
  private func sealed(_ input: inout FuzzInput) {
    let isOfPast = input.flip()
    let keys = input.choose(4)
    let rest = Array(input.all())
    var fingerprint = Self.query
    fingerprint.add(rest)
    let head = (0..<8).map { UInt8(truncatingIfNeeded: fingerprint.value >> (56 - 8 * UInt64($0))) }
    readQueryText((head + rest).hexadecimal, keys: keys, isOfPast: isOfPast)
  }

  private func time(_ text: String) {
    guard let time = Timestamp(rfc3339: text) else { return }
    // A time just outside the years that have four digits cannot be written.
    guard (-62_167_219_200_000...253_402_300_799_999).contains(time.milliseconds) else { return }
    guard Timestamp(rfc3339: time.rfc3339) == time else { broken("a time is written as another", text) }
  }

  private static func altered(_ text: String, _ place: Int, _ change: UInt8) -> String {
    guard var bytes = [UInt8](hexadecimal: text) else { broken("a cursor is not hexadecimal", text) }
    bytes[place % bytes.count] ^= change
    return bytes.hexadecimal
  }
}
