import DocketWire
import NIOCore
import Testing

@testable import DocketClient

@Suite("A client that a server does not let in")
struct TurnedAwayTests {
  private static let address = ServerAddress.tcp(host: "h", port: 1)
  private static let error = DocketClientError.notSecured(address, reason: "r")

  private func state(attempts: Int) -> ClientState {
    ClientState(address: Self.address, configuration: ClientConfiguration(maximumAttempts: attempts))
  }

  private func post(_ id: UInt64) -> Call {
    Call(id: id, method: .post, path: "/n/", data: ByteBuffer(string: "1"), headers: nil)
  }

  @Test("knows that what it has sent was not looked at, and sends it again while it has attempts")
  func isSentAgain() {
    var state = state(attempts: 2)
    #expect(state.submit(post(1)) == [.connect(failures: 0)])
    let writes = state.connected()
    #expect(writes.count == 1)
    #expect(state.submit(post(2)).count == 1)
    #expect(state.turnedAway(reason: "r") == [.connect(failures: 1)])
    #expect(state.connected().count == 2)
    #expect(state.turnedAway(reason: "r") == [.complete(1, .failed(Self.error)), .complete(2, .failed(Self.error))])
  }

  @Test("does not know that once there was an answer on the connection")
  func afterAnAnswer() {
    var state = state(attempts: 1)
    _ = state.submit(post(1))
    _ = state.connected()
    let answer = ByteBuffer(string: #"{"code": 200, "message": "OK", "data": null}"#)
    #expect(state.received(answer).count == 1)
    _ = state.submit(post(2))
    #expect(
      state.turnedAway(reason: "r") == [.complete(2, .failed(.connectionClosed(requestMayHaveHappened: true)))])
  }

  @Test("still says of a call that was sent over an earlier connection that it may have happened")
  func sentBefore() {
    var state = state(attempts: 2)
    let call = Call(id: 1, method: .get, path: "/n/1", data: nil, headers: nil)
    _ = state.submit(call)
    _ = state.connected()
    #expect(state.disconnected(rest: ByteBuffer()) == [.connect(failures: 1)])
    _ = state.connected()
    #expect(
      state.turnedAway(reason: "r") == [.complete(1, .failed(.connectionClosed(requestMayHaveHappened: true)))])
  }

  @Test("says that a port speaks HTTP, to all calls that were sent to it")
  func port() {
    let page = ByteBuffer(string: "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n")
    let error = DocketClientError.badAnswer(reason: "this port speaks HTTP; give that of the native protocol (--port)")
    var state = state(attempts: 2)
    _ = state.submit(post(1))
    _ = state.submit(Call(id: 2, method: .get, path: "/n/1", data: nil, headers: nil))
    _ = state.connected()
    #expect(state.disconnected(rest: page) == [.complete(1, .failed(error)), .complete(2, .failed(error))])
    #expect(state.submit(post(3)) == [.connect(failures: 0)])
  }

  @Test("takes a connection for dead behind a call's time only where nothing has come in that time")
  func stuck() {
    let answer = ByteBuffer(string: #"{"code": 200, "message": "OK", "data": null}"#)
    func timedOut(_ id: UInt64) -> ClientState.Action {
      .complete(id, .failed(.timedOut(requestMayHaveHappened: true)))
    }
    var state = state(attempts: 2)
    _ = state.submit(post(1))
    // Some of its time went into an attempt that failed.
    _ = state.connectFailed(ConnectFailure(reason: "r", isOfTLS: false))
    _ = state.connected()
    #expect(state.timedOut(1) == [timedOut(1)])
    // Or into waiting for the answers to others.
    _ = state.submit(post(2))
    _ = state.received(answer)
    _ = state.submit(post(3))
    #expect(state.timedOut(2) == [timedOut(2)])
    // In the time of the third nothing comes.
    _ = state.submit(post(4))
    #expect(
      state.timedOut(3) == [
        timedOut(3), .closeConnection, .complete(4, .failed(.connectionClosed(requestMayHaveHappened: true))),
      ])
  }

  @Test("takes a connection for dead also where only calls that nobody waits for any more are on their way")
  func abandoned() {
    let configuration = ClientConfiguration(maximumInFlight: 1, maximumAttempts: 1)
    var state = ClientState(address: Self.address, configuration: configuration)
    _ = state.submit(post(1))
    _ = state.connected()
    _ = state.submit(post(2))
    _ = state.received(ByteBuffer(string: #"{"code": 200, "message": "OK", "data": null}"#))
    // It was made before that answer.
    #expect(state.timedOut(2).count == 1)
    _ = state.submit(post(3))
    #expect(
      state.timedOut(3) == [.complete(3, .failed(.timedOut(requestMayHaveHappened: false))), .closeConnection])
    #expect(state.submit(post(4)) == [.connect(failures: 1)])
  }

  @Test("ends a watch that never began with the reason")
  func watch() throws {
    let options = WatchOptions(maximumFirstAttempts: 1)
    var state = WatchState(try WatchTarget(.collection("/n/"), options), options, address: Self.address)
    _ = state.begin()
    _ = state.connected()
    #expect(state.turnedAway(reason: "r") == [.end(Self.error)])
  }
}
