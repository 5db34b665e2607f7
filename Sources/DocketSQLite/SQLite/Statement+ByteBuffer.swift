import NIOCore

extension Statement {
  /// Runs a statement to its end with a text that is borrowed for as long as that takes.
  func run(borrowing text: ByteBuffer, at parameter: Int32) throws(SQLiteError) {
    let result = text.withUnsafeReadableBytes { bytes -> Result<Void, SQLiteError> in
      bind(borrowing: bytes, at: parameter)
      return Result { () throws(SQLiteError) in try run() }
    }
    try result.get()
  }
}
