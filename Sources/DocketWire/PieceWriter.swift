import NIOCore

/// Writes pieces one behind the other into memory that has room for all of them, so that room is made once for them and
/// not for each: small answers spend more time in that than in anything else.
@usableFromInline
package struct PieceWriter {
  @usableFromInline let memory: UnsafeMutableRawBufferPointer
  @usableFromInline var count = 0

  @inlinable
  init(_ memory: UnsafeMutableRawBufferPointer) {
    self.memory = memory
  }

  @inlinable
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= memory.count &- count, "room was made for all pieces")
    guard let from = bytes.baseAddress, let to = memory.baseAddress else { return }
    (to + count).copyMemory(from: from, byteCount: bytes.count)
    count &+= bytes.count
  }

  @inlinable
  package mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends an integer in decimal digits, 20 bytes at most.
  package mutating func append(decimal number: Int64) {
    // Twenty bytes hold every 64-bit integer with its sign.
    withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var rest = number.magnitude
      var start = digits.count
      repeat {
        start &-= 1
        digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if number < 0 {
        start &-= 1
        digits[start] = UInt8(ascii: "-")
      }
      append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...]))
    }
  }
}

extension ByteBuffer {
  /// Writes what `body` appends, for which room is made at once.
  /// - Parameter bytes: the most that it appends.
  @inlinable
  package mutating func writePieces(atMost bytes: Int, _ body: (inout PieceWriter) -> Void) {
    writeWithUnsafeMutableBytes(minimumWritableBytes: bytes) { memory in
      var writer = PieceWriter(memory)
      body(&writer)
      return writer.count
    }
  }

  /// Writes an integer in decimal digits.
  public mutating func writeDecimal(_ number: Int64) {
    writePieces(atMost: 20) { $0.append(decimal: number) }
  }

  public mutating func writeDecimal(_ number: Int) {
    writeDecimal(Int64(number))
  }
}
