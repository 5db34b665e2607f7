import NIOCore

/// Cuts a stream of bytes into frames: each is what stands before a NUL byte.
///
///     { " m e t h o d " : … } 00 { " m e t h …
///     └────── a frame ──────┘    └ incomplete …
///
/// Bytes are looked at once, however they arrive, and a frame is a slice of what was received, not a copy.
public struct FrameDecoder: Sendable {
  public enum Event: Equatable, Sendable {
    /// The bytes before a NUL, which is not among them.
    case frame(ByteBuffer)
    /// The frame that has begun is longer than the limit. Nothing further can be told from this stream.
    case tooLong
  }

  private static let blankBytesBetweenFrames = 64

  /// The longest frame, its NUL not counted. A frame that was too long may be asked for again once this is larger.
  public var maximumFrameBytes: Int
  private var buffer = ByteBuffer()
  /// How many bytes behind the reader index are known to hold no NUL.
  private var scanned = 0
  /// Whether frames that were handed out share the buffer's storage, so that growing it in place would copy it all.
  private var isShared = false

  /// - Parameter maximumFrameBytes: the longest frame, its NUL not counted.
  public init(maximumFrameBytes: Int) {
    self.maximumFrameBytes = maximumFrameBytes
  }

  /// Bytes received of which no frame was made yet.
  public var bufferedBytes: Int { buffer.readableBytes }

  /// Whether a frame has begun: what is buffered is more than the few bytes of white space (a line's end, say) that people
  /// leave between frames. Endless white space is a frame, too, or a client that sends it would have no deadline.
  public var holdsPartOfFrame: Bool {
    guard buffer.readableBytes > 0 else { return false }
    return buffer.readableBytes > Self.blankBytesBetweenFrames
      || !buffer.readableBytesView.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
  }

  /// The first bytes of what has arrived and was not handed out.
  public func beginning(atMost count: Int) -> ByteBuffer {
    buffer.getSlice(at: buffer.readerIndex, length: min(count, buffer.readableBytes)) ?? ByteBuffer()
  }

  public mutating func append(_ bytes: ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = bytes
      scanned = 0
      isShared = false
    } else if isShared {
      var joined = ByteBufferAllocator().buffer(capacity: buffer.readableBytes + bytes.readableBytes)
      joined.writeImmutableBuffer(buffer)
      joined.writeImmutableBuffer(bytes)
      buffer = joined
      isShared = false
    } else {
      buffer.writeImmutableBuffer(bytes)
    }
  }

  /// The next frame, or nil while it is incomplete.
  public mutating func next() -> Event? {
    let length = buffer.withUnsafeReadableBytes { bytes in
      UnsafeRawBufferPointer(rebasing: bytes[scanned...]).firstIndex(ofByte: 0)
    }.map { $0 + scanned }
    guard let length else {
      scanned = buffer.readableBytes
      return scanned > maximumFrameBytes ? .tooLong : nil
    }
    guard length <= maximumFrameBytes, let frame = buffer.readSlice(length: length) else { return .tooLong }
    buffer.moveReaderIndex(forwardBy: 1)
    scanned = 0
    isShared = true
    // So that whoever received the bytes can use the memory again, once the frame is done with.
    if buffer.readableBytes == 0 { buffer = ByteBuffer() }
    return .frame(frame)
  }

  /// Forgets what is buffered.
  public mutating func discard() {
    buffer = ByteBuffer()
    scanned = 0
    isShared = false
  }
}
