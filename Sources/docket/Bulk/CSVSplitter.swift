/// The rows of a CSV text (RFC 4180). A line feed in a quoted field ends no row; a quote counts only where a field begins.
struct CSVSplitter: RecordSplitter {
  private enum State {
    case fieldStart
    case plain
    case quoted
    /// Behind a quote in a quoted field: another one makes both a quote, anything else stands behind the field's end.
    case quote
  }

  private var state = State.fieldStart
  private var lines = 1

  mutating func advance(_ bytes: UnsafeRawBufferPointer) -> SplitStep {
    for (index, byte) in bytes.enumerated() {
      switch (state, byte) {
      case (.quoted, UInt8(ascii: "\"")):
        state = .quote
      case (.quoted, UInt8(ascii: "\n")):
        lines += 1
      case (.quoted, _):
        break
      case (_, UInt8(ascii: "\n")):
        let numbers = lines
        state = .fieldStart
        lines = 1
        return .end(index + 1, numbers: numbers)
      case (_, UInt8(ascii: ",")):
        state = .fieldStart
      case (.fieldStart, UInt8(ascii: "\"")), (.quote, UInt8(ascii: "\"")):
        state = .quoted
      case _:
        state = .plain
      }
    }
    return .more
  }

  func finish() {}
}
