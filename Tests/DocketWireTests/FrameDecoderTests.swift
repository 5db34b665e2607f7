import DocketWire
import NIOCore
import Testing

@Suite struct FrameDecoderTests {
  private func events(_ pieces: [String], limit: Int = 100) -> [FrameDecoder.Event] {
    var decoder = FrameDecoder(maximumFrameBytes: limit)
    var events: [FrameDecoder.Event] = []
    for piece in pieces {
      decoder.append(ByteBuffer(string: piece))
      while let event = decoder.next() {
        events.append(event)
        if event == .tooLong { return events }
      }
    }
    return events
  }

  private func frames(_ texts: String...) -> [FrameDecoder.Event] {
    texts.map { .frame(ByteBuffer(string: $0)) }
  }

  @Test("A frame is what stands before a NUL")
  func oneFrame() {
    #expect(events(["{}\0"]) == frames("{}"))
  }

  @Test("Several frames in one piece come out in order, and the rest waits")
  func several() {
    #expect(events(["a\0bb\0\0c"]) == frames("a", "bb", ""))
  }

  @Test("However a stream is cut, the same frames come out")
  func everyCut() {
    let stream = Array("{\"a\":\"é\"}\0[1]\0 \0x".utf8)
    let expected = events([String(decoding: stream, as: UTF8.self)])
    for first in 0...stream.count {
      for second in first...stream.count {
        var decoder = FrameDecoder(maximumFrameBytes: 100)
        var found: [FrameDecoder.Event] = []
        for piece in [stream[..<first], stream[first..<second], stream[second...]] {
          decoder.append(ByteBuffer(bytes: piece))
          while let event = decoder.next() { found.append(event) }
        }
        #expect(found == expected)
      }
    }
  }

  @Test("A frame of just the limit passes, one byte more does not, with its NUL there or not")
  func limit() {
    #expect(events(["12345\0"], limit: 5) == frames("12345"))
    #expect(events(["123456\0"], limit: 5) == [.tooLong])
    #expect(events(["123456"], limit: 5) == [.tooLong])
    #expect(events(["12345"], limit: 5) == [])
  }

  @Test("Frames keep their bytes when more is received behind them")
  func framesAreStable() {
    var decoder = FrameDecoder(maximumFrameBytes: 100)
    decoder.append(ByteBuffer(string: "first\0sec"))
    let first = decoder.next()
    decoder.append(ByteBuffer(string: "ond\0"))
    let second = decoder.next()
    #expect(first == .frame(ByteBuffer(string: "first")))
    #expect(second == .frame(ByteBuffer(string: "second")))
  }

  @Test("White space is no beginning of a frame, anything else is")
  func partOfFrame() {
    var decoder = FrameDecoder(maximumFrameBytes: 100)
    #expect(!decoder.holdsPartOfFrame)
    decoder.append(ByteBuffer(string: " \r\n\t"))
    #expect(!decoder.holdsPartOfFrame)
    decoder.append(ByteBuffer(string: "{"))
    #expect(decoder.holdsPartOfFrame)
    decoder.discard()
    #expect(!decoder.holdsPartOfFrame && decoder.bufferedBytes == 0)
  }

  @Test("White space without end is a frame that has begun")
  func endlessWhitespace() {
    var decoder = FrameDecoder(maximumFrameBytes: 100)
    for _ in 0..<65 { decoder.append(ByteBuffer(string: " ")) }
    #expect(decoder.holdsPartOfFrame)
    #expect(decoder.next() == nil)
    decoder.append(ByteBuffer(string: "{}\0"))
    #expect(decoder.next() == .frame(ByteBuffer(string: String(repeating: " ", count: 65) + "{}")))
    #expect(!decoder.holdsPartOfFrame)
  }
}
