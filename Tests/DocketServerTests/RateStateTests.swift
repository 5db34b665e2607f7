import DocketService
import DocketStore
import DocketWire
import NIOCore
import Testing

@testable import DocketServer

/// Time stands still here, so that nothing is left of the rate once it is used up.
@Suite("A connection from an address that asks too much")
struct RateStateTests {
  private static let garbage = "nonsense\0"
  private static let wrongToken =
    #"{"method":"GET","path":"/n/1","headers":{"Authorization":"Bearer docket_no"}}"# + "\0"

  private static func gate(rate: Int, isShut: Bool = false) -> Gate {
    let gate = Gate(terms: AccessTerms(addressRate: rate), now: { .uptimeNanoseconds(0) })
    gate.update(TokenRoll(changes: isShut ? 1 : 0, tokens: []), wall: Timestamp(milliseconds: 0))
    return gate
  }

  private static func script(_ gate: Gate) -> ConnectionScript {
    ConnectionScript(documentBytes: 1_000, visitor: Visitor(gate, from: .ipv4(1)))
  }

  private static func isLate(_ operation: Operation) -> Bool {
    if case .answerLater = operation { true } else { false }
  }

  @Test(
    "is told so of frames that are no requests as well, and not heard any more once that has been said often enough")
  func garbage() throws {
    let script = Self.script(Self.gate(rate: 2))
    script.receive(ConnectionScript.keepAlive + String(repeating: Self.garbage, count: 8))
    #expect(script.codes == [200, 422, 429, 429])
    #expect(script.text.contains("rate_limited") && script.text.contains(#""retryAfter": 1"#))
    // The fifth frame has a late answer, and what is behind it lies where it is.
    #expect(script.started.count == 1 && script.state.framesEnded == 6)
    for number in 0..<3 {
      guard case .answerLater(let response, let milliseconds) = script.started[number].operation else {
        Issue.record("\(script.started[number].operation)")
        return
      }
      #expect(milliseconds == 1_000)
      script.answer(number, with: response)
      #expect(script.codes.count == 5 + number)
    }
    #expect(Set(script.codes.dropFirst(2)) == [429])
  }

  @Test("is told so in the place of a token that is not taken")
  func wrongTokens() {
    let script = Self.script(Self.gate(rate: 3, isShut: true))
    script.receive(ConnectionScript.keepAlive + String(repeating: Self.wrongToken, count: 4))
    #expect(script.codes == [401, 401, 401, 429, 429])
    #expect(script.text.contains(#""Retry-After": "1""#))
  }

  @Test("is told so, and closed, for a frame that is too long, or too long for somebody who is not known")
  func longFrames() {
    for isShut in [false, true] {
      let gate = Self.gate(rate: 1, isShut: isShut)
      let frame = String(repeating: "x", count: 100_000)
      for code in [413, 429] {
        let script = Self.script(gate)
        script.receive(frame)
        #expect(script.codes == [code])
        #expect(script.after == .linger)
      }
    }
  }

  @Test("is told so, and closed, for a frame that is cut off, or does not end in time")
  func unfinishedFrames() {
    let gate = Self.gate(rate: 2)
    let end: [(ConnectionScript) -> Void] = [
      { $0.state.inputEnded() }, { $0.state.frameTimedOut() }, { $0.state.inputEnded() }, { $0.state.frameTimedOut() },
      { $0.state.inputEnded() }, { $0.state.frameTimedOut() },
    ]
    let scripts = end.map { end in
      let script = Self.script(gate)
      script.receive(#"{"method":"#)
      end(script)
      script.run()
      return script
    }
    #expect(scripts.map(\.codes) == [[400], [408], [429], [429], [], []])
    // The answers of the last ones come late, and their connections end behind them.
    for script in scripts.suffix(2) {
      guard case .answerLater(let response, _) = script.started.first?.operation else {
        Issue.record("no late answer")
        continue
      }
      #expect(script.after == .goOn)
      script.answer(0, with: response)
      #expect(script.codes == [429])
    }
    #expect(!scripts.map(\.after).contains(.goOn))
  }

  @Test("is told so over all its connections, also where each has one frame only")
  func connections() {
    let gate = Self.gate(rate: 2)
    let codes = (0..<4).map { _ in
      let script = Self.script(gate)
      script.receive(Self.garbage)
      #expect(script.after == .close)
      return script.codes
    }
    #expect(codes == [[422], [422], [429], [429]])
    let late = Self.script(gate)
    late.receive(Self.garbage)
    #expect(late.codes == [] && late.started.map(\.operation).allSatisfy(Self.isLate) && late.started.count == 1)
    let other = ConnectionScript(visitor: Visitor(gate, from: .ipv4(2)))
    other.receive(Self.garbage)
    #expect(other.codes == [422])
  }
}
