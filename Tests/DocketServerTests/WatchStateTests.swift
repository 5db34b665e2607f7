import DocketService
import NIOCore
import Testing

@testable import DocketServer

private let keepAlive = ConnectionScript.keepAlive
private func get(_ path: String, _ more: String = "") -> String { ConnectionScript.get(path, more) }
private func put(_ path: String) -> String { ConnectionScript.put(path) }

@Suite("A watch among the requests of a connection")
struct WatchStateTests {
  private let watch = get("/n/?watch=true", #","id":"w""#)

  private func isWatch(_ operation: Operation) -> Bool { if case .watch = operation { true } else { false } }

  @Test("starts when what is before it is done, and what is behind it starts later")
  func order() {
    let script = ConnectionScript()
    script.receive(keepAlive + put("/n/1") + watch + put("/n/2"))
    #expect(script.started.count == 1)
    script.answer(0)
    #expect(script.started.count == 2)
    #expect(isWatch(script.started[1].operation))
    #expect(script.started[1].id == ByteBuffer(string: "\"w\""))
    script.answerElsewhere(1)
    #expect(script.started.count == 3)
    script.answer(2)
    #expect(script.codes == [200, 200, 200], "the watch has no answer in the order of answers")
    #expect(!script.text.contains("\"w\""))
  }

  @Test("leaves its place empty also where answers before it are still due")
  func place() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/", #","id":1"#) + watch + get("/", #","id":2"#))
    script.answerElsewhere(0)
    #expect(script.codes == [200, 200, 200])
    #expect(script.after == .goOn)
  }

  @Test("is refused on a one-shot session, which then ends")
  func oneShot() {
    let script = ConnectionScript()
    script.receive(watch)
    #expect(script.codes == [400])
    #expect(script.text.contains("watch_needs_session"))
    #expect(script.after == .close)
  }

  @Test("keeps the connection open behind the last request of a client that only reads, and no longer")
  func halfClosed() {
    let script = ConnectionScript()
    script.receive(keepAlive + watch)
    script.state.watchDidBegin()
    script.answerElsewhere(0)
    script.state.inputEnded()
    script.run()
    #expect(script.after == .goOn)
    #expect(!script.expectsClient)
    script.state.watchesDidEnd()
    script.run()
    #expect(script.after == .close)
  }

  @Test("does not keep a connection open that its client, or the server, wants to end")
  func ending() {
    let closing = ConnectionScript()
    closing.receive(keepAlive + watch)
    closing.state.watchDidBegin()
    closing.answerElsewhere(0)
    closing.receive(get("/", #","headers":{"Connection":"close"}"#))
    #expect(closing.after == .close)
    let finishing = ConnectionScript()
    finishing.receive(keepAlive + watch)
    finishing.state.watchDidBegin()
    finishing.answerElsewhere(0)
    finishing.state.inputEnded()
    finishing.run()
    finishing.state.finish()
    finishing.run()
    #expect(finishing.after == .close)
  }
}
