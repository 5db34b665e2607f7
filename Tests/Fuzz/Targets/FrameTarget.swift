import DocketWire
import NIOCore

/// Bytes are cut at NULs into the same frames, however they arrive, and one that is too long ends them.
///
///     limit 1 | number of pieces 1 | their lengths | the bytes
final class FrameTarget: FuzzTarget {
  private let isPlanted: Bool

  init(isPlanted: Bool) { self.isPlanted = isPlanted }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = FuzzInput(bytes)
    let limit = input.choose(250) + 1
    let lengths = (0..<input.choose(16)).map { _ in input.choose(64) }
    let stream = Array(input.all())
    let expected = Self.frames(of: stream, limit: limit)

    var decoder = FrameDecoder(maximumFrameBytes: limit)
    var events: [FrameDecoder.Event] = []
    var rest = stream[...]
    for length in lengths + [rest.count] {
      var piece = Array(rest.prefix(length))
      rest = rest.dropFirst(length)
      // Now and then two pieces arrive before anybody looks.
      if isPlanted, piece.first == UInt8(ascii: "z") { piece.removeFirst() }
      decoder.append(ByteBuffer(bytes: piece))
      if length % 7 == 6 { continue }
      while events.last != .tooLong, let event = decoder.next() { events.append(event) }
    }
    while events.last != .tooLong, let event = decoder.next() { events.append(event) }

    guard events == expected.events else {
      broken("the frames depend on the pieces", "limit \(limit)\n\(events)\nbut whole\n\(expected.events)")
    }
    if events.last == .tooLong {
      checkAgain(&decoder, Array(stream.dropFirst(expected.handedOut)))
    } else {
      guard decoder.bufferedBytes == expected.left, decoder.next() == nil else { broken("what is left is not kept") }
      let isBlank = stream.suffix(expected.left).allSatisfy { [0x20, 0x0A, 0x0D, 0x09].contains($0) }
      guard decoder.holdsPartOfFrame == (expected.left > 64 || (expected.left > 0 && !isBlank)) else {
        broken("whether a frame has begun is not told")
      }
    }
  }

  /// A frame that was too long may be asked for again, once it may be longer.
  private func checkAgain(_ decoder: inout FrameDecoder, _ rest: [UInt8]) {
    decoder.maximumFrameBytes = rest.count
    var events: [FrameDecoder.Event] = []
    while let event = decoder.next() { events.append(event) }
    guard events == Self.frames(of: rest, limit: rest.count).events else {
      broken("a frame that may be longer now is another", "\(shown(rest))\n\(events)")
    }
  }

  /// - Returns: also how many bytes are left at the end, and how many stood in frames and behind them.
  private static func frames(
    of stream: [UInt8], limit: Int
  ) -> (events: [FrameDecoder.Event], left: Int, handedOut: Int) {
    var handedOut = 0
    var parts = stream.split(separator: 0, omittingEmptySubsequences: false)
    let last = parts.removeLast()
    var events: [FrameDecoder.Event] = []
    for part in parts {
      guard part.count <= limit else { return (events + [.tooLong], 0, handedOut) }
      handedOut += part.count + 1
      events.append(.frame(ByteBuffer(bytes: part)))
    }
    return last.count > limit ? (events + [.tooLong], 0, handedOut) : (events, last.count, handedOut)
  }
}
