/// A piece of a long text around its first match. FTS5's own `snippet` weighs every match against every other: for a text
/// with 40,000 of them it took ten seconds, in which nothing interrupts it; `highlight` took 0.2, and with 150,000 matches
/// 3.6. So the longest texts are shown by their beginning.
enum SnippetCut {
  /// What `highlight` is to put before and behind a match: JSON text has such characters only as escapes.
  static let open: UInt8 = 2
  static let close: UInt8 = 3

  /// Texts together longer than this are cut so, in characters.
  static let longTexts = 4_000
  /// Of texts longer than this together the beginning is shown.
  static let longestTexts = 32_000
  /// How much of it, in characters.
  static let beginning = 200

  private static let bytesBefore = 60
  private static let bytesInAll = 200

  /// - Parameter text: the beginning of a text that is longer.
  static func beginning(_ text: String) -> String { text.isEmpty ? "" : text + "…" }

  /// - Parameter highlighted: a text in which each match stands between `open` and `close`.
  /// - Returns: nil where there is no match.
  static func snippet(_ highlighted: UnsafeRawBufferPointer) -> String? {
    guard let match = highlighted.firstIndex(of: open) else { return nil }
    var start = max(match - bytesBefore, 0)
    // A piece begins and ends with whole words, or at least characters.
    if start > 0 {
      start = highlighted[start..<match].firstIndex(of: UInt8(ascii: " ")).map { $0 + 1 } ?? match
    }
    var end = min(start + bytesInAll, highlighted.count)
    if end < highlighted.count {
      let space = highlighted[match..<end].lastIndex(of: UInt8(ascii: " "))
      if let space { end = space } else { while end > match, highlighted[end] & 0xC0 == 0x80 { end -= 1 } }
    }
    var piece: [UInt8] = start > 0 ? Array("…".utf8) : []
    var isOpen = false
    for byte in highlighted[start..<end] {
      guard byte == open || byte == close else {
        piece.append(byte)
        continue
      }
      isOpen = byte == open
      piece += Array("**".utf8)
    }
    if isOpen { piece += Array("**".utf8) }
    if end < highlighted.count { piece += Array("…".utf8) }
    return String(decoding: piece, as: UTF8.self)
  }
}
