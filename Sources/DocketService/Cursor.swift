import DocketStore

/// Where a page ended: the id of its last document, so that the next page begins behind it whatever comes and goes.
///
/// Its text is hexadecimal: a checksum over the rest and the collection, which tells altered and foreign cursors, and
/// those of the past from those of the present; for a page of the past the revision, 8 bytes; then the id.
struct Cursor: Equatable {
  let id: String
  /// Of which the pages are, where they are of the past.
  let revision: Revision?
  private let checksum: UInt32

  init(id: String, in collection: CollectionPath, asOf revision: Revision? = nil) {
    self.id = id
    self.revision = revision
    checksum = Self.checksum([revision == nil ? 0 : 1] + Self.bytes(revision) + Array(id.utf8), collection)
  }

  init?(_ text: String, in collection: CollectionPath, isOfPast: Bool = false) {
    guard let bytes = [UInt8](hexadecimal: text), bytes.count > (isOfPast ? 12 : 4) else { return nil }
    let revision = isOfPast ? Revision(bytes[4..<12].reduce(0) { $0 << 8 | Int64($1) }) : nil
    guard let id = String(validating: bytes[(isOfPast ? 12 : 4)...], as: UTF8.self) else { return nil }
    self.init(id: id, in: collection, asOf: revision)
    guard bytes[..<4].reduce(0, { $0 << 8 | UInt32($1) }) == checksum else { return nil }
  }

  var text: String {
    let head = (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * $0)) }
    return (head + Self.bytes(revision) + Array(id.utf8)).hexadecimal
  }

  private static func bytes(_ revision: Revision?) -> [UInt8] {
    guard let revision else { return [] }
    return (0..<8).map { UInt8(truncatingIfNeeded: revision.rawValue >> (56 - 8 * $0)) }
  }

  /// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/): it guards against mistakes, not against malice; a cursor
  /// made up by hand only names another place to begin.
  private static func checksum(_ rest: [UInt8], _ collection: CollectionPath) -> UInt32 {
    var hash: UInt32 = 2_166_136_261
    for byte in Array(collection.description.utf8) + rest {
      hash = (hash ^ UInt32(byte)) &* 16_777_619
    }
    return hash
  }
}
