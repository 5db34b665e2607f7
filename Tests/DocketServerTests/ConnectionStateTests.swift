import NIOCore
import Testing

@testable import DocketServer

private let keepAlive = ConnectionScript.keepAlive
private func get(_ path: String, _ more: String = "") -> String { ConnectionScript.get(path, more) }
private func put(_ path: String) -> String { ConnectionScript.put(path) }

@Suite struct ConnectionStateTests {
  @Test("A one-shot session is answered once, without NUL, and closed")
  func oneShot() {
    let script = ConnectionScript()
    script.receive(get("/"))
    #expect(script.text == #"{"code": 200, "message": "OK", "data": "Hello, World!"}"#)
    #expect(script.after == .close)
  }

  @Test("A second frame of a one-shot session is never run, and input that is left is lingered for")
  func secondFrame() {
    let script = ConnectionScript()
    script.receive(get("/notes/1") + put("/notes/2"))
    script.answer(0)
    script.receive(put("/notes/3"))
    #expect(script.started.count == 1)
    #expect(script.codes == [200])
    #expect(script.after == .linger)
  }

  @Test("A request that arrives byte by byte is answered like one that arrives whole")
  func byteByByte() {
    let script = ConnectionScript()
    for byte in keepAlive.utf8 { script.receive(String(UnicodeScalar(byte))) }
    #expect(script.codes == [200])
    #expect(script.after == .goOn)
    #expect(script.sent.readableBytesView.last == 0)
  }

  @Test("keep-alive in the first request makes the session persistent, and each answer ends with NUL")
  func persistent() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/") + get("/nowhere"))
    #expect(script.codes == [200, 200, 400])
    #expect(script.sent.readableBytesView.filter { $0 == 0 }.count == 3)
    #expect(script.after == .goOn)
  }

  @Test("Connection: close ends a persistent session behind its answer, which still ends with NUL")
  func close() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/", #","headers":{"connection":"Close"}"#) + get("/"))
    #expect(script.codes == [200, 200])
    #expect(script.sent.readableBytesView.last == 0)
    #expect(script.after == .linger)
  }

  @Test("Where much waits to be written a connection has one write there, and its next when that is answered")
  func crowdedWrites() {
    func large(_ path: String) -> String {
      ConnectionScript.put(path, data: "\"\(String(repeating: "x", count: 3_000))\"")
    }
    let script = ConnectionScript()
    script.receive(keepAlive + large("/a/1") + large("/a/2"))
    #expect(script.started.count == 2)
    script.state.writesAreCrowded = true
    script.receive(large("/a/3") + get("/b/1"))
    #expect(script.started.count == 2)
    script.answer(0)
    #expect(script.started.count == 2)
    script.answer(1)
    // And the read of another document overtakes it, as ever.
    #expect(script.started.count == 4)
    script.receive(large("/a/4"))
    script.answer(3)
    #expect(script.started.count == 4)
    script.state.writesAreCrowded = false
    script.run()
    #expect(script.started.count == 5)
    script.answer(2)
    script.answer(4)
    #expect(script.codes == [200, 200, 200, 200, 200, 200])
  }

  @Test("nor does it wait then with several that are small together")
  func crowdedSmallWrites() {
    let script = ConnectionScript()
    script.state.writesAreCrowded = true
    script.receive(keepAlive + (1...200).map { put("/a/\($0)") }.joined())
    #expect(script.started.count > 16 && script.started.count < 200)
    for index in 0..<200 { script.answer(index) }
    #expect(script.codes.count == 201)
  }

  @Test("nor does one that may take long begin beside others then")
  func crowdedPatches() {
    func patch(_ path: String) -> String { "{\"method\":\"PATCH\",\"path\":\"\(path)\",\"data\":{\"a\":1}}\0" }
    let script = ConnectionScript()
    script.receive(keepAlive + patch("/a/1") + patch("/a/2"))
    #expect(script.started.count == 2)
    script.state.writesAreCrowded = true
    script.receive(patch("/a/3"))
    script.answer(0)
    #expect(script.started.count == 2)
    script.answer(1)
    #expect(script.started.count == 3)
    script.receive(put("/a/4"))
    #expect(script.started.count == 4)
    script.answer(2)
    script.answer(3)
    #expect(script.codes == [200, 200, 200, 200, 200])
  }

  @Test("What waits for it is carried out before the connection ends", arguments: [false, true])
  func crowdedEnd(byServer: Bool) {
    let script = ConnectionScript()
    script.state.writesAreCrowded = true
    script.receive(keepAlive + (1...200).map { put("/a/\($0)") }.joined())
    if byServer { script.state.finish() } else { script.state.inputEnded() }
    script.run()
    for index in 0..<200 {
      #expect(script.after == .goOn)
      script.answer(index)
    }
    #expect(script.codes.count == 201)
    #expect(script.after == .close || script.after == .linger)
  }

  @Test("Answers come in the order of the requests, whenever the store gives them")
  func order() {
    let script = ConnectionScript()
    script.receive(keepAlive + put("/a/1") + put("/a/2") + get("/echo", #","data":"x","id":9"#))
    #expect(script.started.count == 2)
    script.answer(1, .created)
    #expect(script.codes == [200])
    script.answer(0, .noContent)
    #expect(script.codes == [200, 204, 201, 200])
    #expect(script.text.hasSuffix("\"x\", \"id\": 9}\0"))
  }

  @Test("A read waits for the writes of its document before it, a write does not wait for writes")
  func readsWait() {
    let script = ConnectionScript()
    script.receive(keepAlive + put("/a/1") + put("/a/1") + get("/a/1") + put("/a/3"))
    #expect(script.started.count == 2)
    script.answer(0)
    #expect(script.started.count == 2)
    script.answer(1)
    #expect(script.started.count == 3)
    script.answer(2)
    #expect(script.started.count == 4)
  }

  @Test("A read of a document overtakes the writes of others, and is answered behind them")
  func readsOvertake() {
    let script = ConnectionScript()
    script.receive(keepAlive + put("/a/1") + get("/a/2") + get("/b/1") + put("/a/2") + get("/a/2"))
    #expect(script.started.count == 2)
    script.answer(1)
    script.answer(2)
    #expect(script.started.count == 4)
    #expect(script.codes == [200])
    script.answer(0, .created)
    #expect(script.codes == [200, 201, 200, 200])
    #expect(script.started.count == 4)
    script.answer(3, .created)
    #expect(script.started.count == 5)
  }

  @Test(
    "A read waits for writes that may be about any document, and one of many documents for every write",
    arguments: [
      (#"{"method":"POST","path":"/a/","data":1}"#, #"{"method":"GET","path":"/a/1"}"#),
      (#"{"method":"POST","path":"/item","data":1}"#, #"{"method":"GET","path":"/a/1"}"#),
      (
        #"{"method":"POST","path":"/_batch","data":{"requests":[{"method":"PUT","path":"/a/1","data":1}]}}"#,
        #"{"method":"GET","path":"/a/1"}"#
      ),
      (#"{"method":"PUT","path":"/a/1","data":1}"#, #"{"method":"GET","path":"/b/"}"#),
      (#"{"method":"PUT","path":"/a/1","data":1}"#, #"{"method":"GET","path":"/_stats"}"#),
      (#"{"method":"PUT","path":"/a/1","data":1}"#, #"{"method":"GET","path":"/list"}"#),
      (#"{"method":"PUT","path":"/a/1","data":1}"#, #"{"method":"GET","path":"/b/1?asOf=1"}"#),
      (#"{"method":"DELETE","path":"/a/1"}"#, #"{"method":"GET","path":"/%61/1"}"#),
    ])
  func readsWaitForAll(write: String, read: String) {
    let script = ConnectionScript()
    script.receive(keepAlive + write + "\0" + read + "\0")
    #expect(script.started.count == 1)
    script.answer(0)
    #expect(script.started.count == 2)
  }

  @Test("Reads overtake writes no longer than their answers have room")
  func overtakingIsBounded() {
    var limits = ServerLimits()
    limits.sendBufferBytes = 100
    let script = ConnectionScript(limits: limits)
    script.receive(keepAlive + put("/a/1") + get("/b/1") + get("/b/2") + get("/b/3"))
    script.answer(1, .ok, "\"\(String(repeating: "x", count: 60))\"")
    #expect(script.started.count == 3)
    script.answer(2, .ok, "\"\(String(repeating: "x", count: 60))\"")
    #expect(script.started.count == 3)
    script.answer(0)
    #expect(script.started.count == 4)
  }

  @Test(
    "What cannot be parsed ends a session that is not persistent",
    arguments: ["x\0", "[]\0", "{}\0", "\0", "{\"method\":\"GET\",\"path\":\"/\",\"headers\":1}\0"])
  func unparsedFirst(_ frame: String) {
    let script = ConnectionScript()
    script.receive(frame + get("/"))
    #expect(script.codes.count == 1)
    #expect(script.text.hasSuffix("\"data\": null}"))
    #expect(script.after == .linger)
  }

  @Test("On a persistent session a frame that is no request gets 422 with the reason, and it goes on")
  func unparsedLater() {
    let script = ConnectionScript()
    script.receive(keepAlive + "{\"method\":\0" + get("/"))
    #expect(script.codes == [200, 422, 200])
    #expect(script.text.contains("invalid_json"))
    #expect(script.after == .goOn)
  }

  @Test("A frame over the limit gets 413 and ends the session, behind the answers before it")
  func tooLong() {
    let script = ConnectionScript(documentBytes: 10)
    script.receive(keepAlive + put("/a/1") + String(repeating: "x", count: 70_000))
    #expect(script.codes == [200])
    script.answer(0)
    #expect(script.codes == [200, 200, 413])
    #expect(script.after == .linger)
  }

  @Test("A frame that takes too long gets 408 and ends the session")
  func timeout() {
    let script = ConnectionScript()
    script.receive("{\"method\"")
    #expect(script.isReceivingFrame)
    script.state.frameTimedOut()
    script.run()
    #expect(script.codes == [408])
    #expect(script.after == .linger)
  }

  @Test("A client that has shut down its sending side gets its answers, then the end")
  func halfClosed() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/a/1"))
    script.state.inputEnded()
    script.run()
    #expect(script.after == .goOn)
    script.answer(0)
    #expect(script.codes == [200, 200])
    #expect(script.after == .close)
  }

  @Test("A frame without its NUL is told so when the client shuts down")
  func incomplete() {
    let script = ConnectionScript()
    script.receive(#"{"method":"GET","path":"/"}"#)
    script.state.inputEnded()
    script.run()
    #expect(script.codes == [400])
    #expect(script.text.contains("incomplete_frame"))
    #expect(script.after == .close)
  }

  @Test("A client that says nothing and shuts down gets nothing")
  func silent() {
    let script = ConnectionScript()
    script.receive(" \n")
    script.state.inputEnded()
    script.run()
    #expect(script.sent.readableBytes == 0)
    #expect(script.after == .close)
  }

  @Test("When the server ends, whole frames are answered and a half one is dropped")
  func finishing() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/a/1") + "{\"meth")
    script.state.finish()
    script.run()
    #expect(script.after == .goOn)
    script.answer(0)
    #expect(script.codes == [200, 200])
    #expect(script.after == .linger)
  }

  @Test("No more requests are taken than may be unanswered, and input is not wanted then")
  func pipelineLimit() {
    var limits = ServerLimits()
    limits.pipelinedRequests = 3
    let script = ConnectionScript(limits: limits)
    script.receive(keepAlive + (0..<5000).map { put("/a/\($0)") }.joined())
    #expect(script.started.count == 3)
    #expect(!script.wantsInput)
    #expect(!script.isReceivingFrame)
    script.answer(0)
    #expect(script.started.count == 4)
  }

  @Test("The bytes of unanswered requests are bounded as well")
  func pipelineBytes() {
    var limits = ServerLimits()
    limits.pipelinedBytes = 100
    let script = ConnectionScript(limits: limits)
    script.receive(keepAlive + (0..<10).map { put("/a/\($0)") }.joined())
    #expect(script.started.count == 3)
    for index in 0..<10 { script.answer(index) }
    #expect(script.codes.count == 11)
  }

  @Test("headers are answered to those who sent some, id to those who sent one")
  func echoes() {
    let script = ConnectionScript()
    script.receive(keepAlive + get("/", #","id":"é""#) + get("/", #","headers":{}"#))
    let texts = script.text.split(separator: "\0")
    #expect(texts[1].hasSuffix(#"World!", "id": "é"}"#))
    #expect(texts[2].hasSuffix(#"World!", "headers": {}}"#))
  }
}
