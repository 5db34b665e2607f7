import DocketStore
import DocketTestSupport
import DocketWire
import Foundation
import NIOCore
import Testing

@testable import DocketServer
@testable import DocketService

/// What anybody who reaches the port can have the server do before he has shown a token: nothing, whatever he sends.
@Suite("Before a token is known")
struct StrangerFuzzTests {
  private static let limits = ServerLimits(strangerFrameBytes: 2_048)

  /// A gate that is shut, and a token of it but for its secret.
  private static func shutGate() -> (gate: Gate, wrongToken: String) {
    let (text, id, digest) = TokenText.make()
    let token = AccessToken(
      id: id, name: "somebody", rules: .everything, digest: digest, created: Timestamp(milliseconds: 0), expires: nil,
      revoked: nil)
    let gate = Gate()
    gate.update(TokenRoll(changes: 1, tokens: [token]), wall: Timestamp(milliseconds: 0))
    // So many characters are wrong that no mutation puts them right.
    return (gate, String(text.prefix(20)) + TokenText.make().text.suffix(43))
  }

  private static func script(_ gate: Gate) -> ConnectionScript {
    ConnectionScript(limits: limits, visitor: Visitor(gate, from: .unknown))
  }

  /// Whether every answer is one that says no, or is that of `/_health`.
  private static func areRefusals(_ sent: ByteBuffer) -> Bool {
    let health = "\"data\": \(String(buffer: Response.healthy.data ?? ByteBuffer()))"
    return sent.readableBytesView.split(separator: 0).allSatisfy { frame in
      let text = String(decoding: frame, as: UTF8.self)
      if text.hasPrefix("{\"code\": 200, ") { return text.contains(health) }
      return ["400", "401", "413", "422"].contains { text.hasPrefix("{\"code\": \($0), ") }
    }
  }

  @Test("nothing that is sent reaches the store, whatever it is, and no more is kept of it than a stranger's frame")
  func refused() {
    var random = SeededGenerator.forTest(named: "frames of strangers")
    let (gate, wrongToken) = Self.shutGate()
    var frames = StrangerFrames(token: wrongToken, limit: Self.limits.strangerFrameBytes)
    let wanted = ProcessInfo.processInfo.environment["DOCKET_TEST_FRAMES"].flatMap { Int($0) } ?? 50_000
    var count = 0
    while count < wanted {
      let script = Self.script(gate)
      var answers = 0
      var begun = 0
      if Bool.random(using: &random) { script.receive(ConnectionScript.keepAlive) }
      // A connection of many frames, until something ends it.
      while script.after == .goOn, count < wanted, script.sent.readableBytes < 16_384 {
        var bytes = frames.next(using: &random)
        count += 1
        while !bytes.isEmpty, script.after == .goOn {
          let piece = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 1...700, using: &random) : bytes.count
          let part = bytes.prefix(piece)
          bytes = bytes.dropFirst(piece)
          script.receive(part)
          begun = part.lastIndex(of: 0).map { part.endIndex - $0 - 1 } ?? begun + part.count
          while answers < script.started.count {
            switch script.started[answers].operation {
            case .answerLater(let response, _): script.answer(answers, with: response)
            case .reportHealth: script.answer(answers, with: .healthy)
            case let other: Issue.record("\(other) was started by \(String(decoding: part, as: UTF8.self))")
            }
            answers += 1
          }
          if script.after == .goOn, begun > Self.limits.strangerFrameBytes { Issue.record("\(begun) bytes are kept") }
        }
      }
      if script.lookUps > 0 || !Self.areRefusals(script.sent) { Issue.record("\(script.text)") }
    }
  }

  @Test("the frames of that test would be carried out by an open server")
  func openServer() {
    var random = SeededGenerator(seed: 1)
    var frames = StrangerFrames(token: "docket_", limit: Self.limits.strangerFrameBytes)
    var started = 0
    for _ in 0..<2_000 {
      let script = Self.script(Gate())
      script.receive(ConnectionScript.keepAlive)
      script.receive(frames.next(using: &random))
      started += script.started.count + script.lookUps
    }
    #expect(started > 200)
  }

  @Test("a larger request is taken where its headers come first, in whatever pieces, and refused where they do not")
  func headersFirst() {
    let (text, id, digest) = TokenText.make()
    let gate = Gate()
    let token = AccessToken(
      id: id, name: "writer", rules: AccessRules([.write("/n/")]), digest: digest,
      created: Timestamp(milliseconds: 0), expires: nil, revoked: nil)
    gate.update(TokenRoll(changes: 1, tokens: [token]), wall: Timestamp(milliseconds: 0))
    let data = "\"data\":\"" + String(repeating: "x", count: 10_000) + "\""
    func headers(_ token: String) -> String {
      #""headers":{"Connection":"keep-alive","Authorization":"Bearer \#(token)"}"#
    }
    func receive(_ members: String..., inPieces size: Int) -> ConnectionScript {
      let script = Self.script(gate)
      var bytes = Array(("{\"method\":\"PUT\"," + members.joined(separator: ",") + "}\0").utf8)[...]
      while !bytes.isEmpty {
        script.receive(bytes.prefix(size))
        bytes = bytes.dropFirst(size)
      }
      return script
    }
    for size in [1, 7, 2_047, 2_048, 2_049, 100_000] {
      let taken = receive(headers(text), "\"path\":\"/n/1\"", data, inPieces: size)
      #expect(taken.started.count == 1 && taken.after == .goOn)
      // Nobody may write more by it than its rules allow.
      let other = receive(headers(text), "\"path\":\"/m/1\"", data, inPieces: size)
      #expect(other.started.isEmpty && other.codes == [403])
      // What is there as a whole when it is looked at has nothing that comes too late.
      if size < 10_000 {
        let late = receive("\"path\":\"/n/1\"", data, headers(text), inPieces: size)
        #expect(late.started.isEmpty && late.codes == [413] && late.text.contains("authenticate_first"))
        #expect(late.after == .linger)
      }
      let wrong = receive(headers("docket_"), "\"path\":\"/n/1\"", data, inPieces: size)
      #expect(wrong.codes.first == 401 || !wrong.started.isEmpty, "counted, and late from the sixth on")
      for start in wrong.started {
        guard case .answerLater = start.operation else {
          Issue.record("\(start.operation)")
          continue
        }
      }
    }
  }
}

/// Frames as a stranger may send them, each of one of a few kinds.
private struct StrangerFrames {
  let token: String
  /// How many bytes a stranger's frame may have.
  let limit: Int

  private static let paths = [
    "/", "/echo", "/list", "/item", "/notes/1", "/notes/", "/notes/?where[a]=1", "/notes/?count=true&limit=0",
    "/notes/?watch=true", "/notes/1?history=true", "/notes/1?restore=1", "/_documents", "/_changes",
    "/_changes?watch=true", "/_batch", "/_tokens/", "/_tokens/ci", "/_collections/notes/", "/_collections/", "/_health",
    "/_stats", "/_watches/1", "/_nothing", "/n%6Ftes/%31", "//", "/notes//1", "/../notes/1", "",
  ]
  private static let methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "get", "HEAD", ""]
  private static let data = [
    "1", "{}", "[]", "null", #"{"name":"me","allow":["admin"]}"#,
    #"{"requests":[{"method":"PUT","path":"/notes/1","data":1},{"method":"GET","path":"/_tokens/"}]}"#,
    #"[{"op":"test","path":"","value":1}]"#, #""a,b""#, #"{"unique":["mail"]}"#, #"{"aggregate":{"n":"count"}}"#,
  ]

  mutating func next(using random: inout SeededGenerator) -> ArraySlice<UInt8> {
    var bytes: [UInt8]
    switch Int.random(in: 0..<10, using: &random) {
    case 0: bytes = noise(using: &random)
    case 1: bytes = nesting(using: &random)
    case 2: bytes = Array(long(using: &random).utf8)
    case 3...5:
      bytes = Array(request(using: &random).utf8)
      mutate(&bytes, using: &random)
    case 6:
      bytes = Array(request(using: &random).utf8)
      // Cut: the next frame goes on with it.
      if let end = bytes.indices.randomElement(using: &random) { bytes.removeSubrange(end...) }
    default: bytes = Array(request(using: &random).utf8)
    }
    if Int.random(in: 0..<30, using: &random) > 0 { bytes.append(0) }
    return bytes[...]
  }

  private func request(using random: inout SeededGenerator) -> String {
    let wrong = ["Bearer \(token)", "bearer  \(token)", token, "Bearer", "Basic YTpi", "Bearer \(token) \(token)", "é"]
    var members = [
      "\"method\":\"\(Self.methods.randomElement(using: &random) ?? "")\"",
      "\"path\":\"\(Self.paths.randomElement(using: &random) ?? "")\"",
    ]
    if Bool.random(using: &random) { members.append("\"data\":\(Self.data.randomElement(using: &random) ?? "1")") }
    if Int.random(in: 0..<3, using: &random) == 0 {
      members.append(#""headers":{"Authorization":"\#(wrong.randomElement(using: &random) ?? "")"}"#)
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      members.append(#""headers":{"Idempotency-Key":"k","If-Match":"1","Connection":"keep-alive"}"#)
    }
    if Int.random(in: 0..<8, using: &random) == 0 {
      members.append(
        ["\"headers\":[]", "\"headers\":{\"Authorization\":{}}", "\"id\":7", "\"id\":{}", "\"path\":7"]
          .randomElement(using: &random) ?? "")
    }
    // In whatever order, with members that are not known and some that come twice.
    if Bool.random(using: &random) { members.shuffle(using: &random) }
    return "{\(members.joined(separator: Bool.random(using: &random) ? "," : " , "))}"
  }

  private func noise(using random: inout SeededGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  private func nesting(using random: inout SeededGenerator) -> [UInt8] {
    let depth = Int.random(in: 1...limit, using: &random)
    let bracket = ["[", "{\"a\":", "[[{\"headers\":"].randomElement(using: &random) ?? "["
    let open = String(repeating: bracket, count: depth / bracket.utf8.count + 1)
    switch Int.random(in: 0..<3, using: &random) {
    case 0: return Array(open.utf8)
    case 1: return Array("{\"headers\":\(open)".utf8)
    default: return Array("{\"method\":\"GET\",\"path\":\"/echo\",\"data\":\(open)".utf8)
    }
  }

  /// Around the bound of a stranger's frames and beyond it.
  private func long(using random: inout SeededGenerator) -> String {
    let filling = String(repeating: "x", count: limit + Int.random(in: -200...2_000, using: &random))
    let headers = #""headers":{"Connection":"keep-alive","Authorization":"Bearer \#(token)"}"#
    return [
      "{\"method\":\"PUT\",\"path\":\"/notes/1\",\"data\":\"\(filling)\",\(headers)}",
      "{\(headers),\"method\":\"PUT\",\"path\":\"/notes/1\",\"data\":\"\(filling)\"}",
      "{\"headers\":{\"Authorization\":\"\(filling)\"},\"method\":\"PUT\",\"path\":\"/notes/1\",\"data\":1}",
      "{\"method\":\"GET\",\"path\":\"/notes/\(filling)\"}", filling,
      String(repeating: " ", count: filling.utf8.count),
    ].randomElement(using: &random) ?? filling
  }

  private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      guard let place = bytes.indices.randomElement(using: &random) else { return }
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(Array("{}[]\",:\\ \0".utf8).randomElement(using: &random) ?? 0, at: place)
      case 4: bytes.insert(contentsOf: Array("\\u00".utf8), at: place)
      default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
      }
    }
  }
}
