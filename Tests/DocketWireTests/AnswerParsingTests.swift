import DocketWire
import NIOCore
import Testing

@Suite struct AnswerParsingTests {
  @Test(
    "An answer continues where it says so with true, and not otherwise",
    arguments: [
      ("", false), (#", "continues": true"#, true), (#", "id": 1, "headers": {}, "continues": true"#, true),
      (#", "continues": false"#, false), (#", "continues": null"#, false), (#", "continues": "true""#, false),
    ])
  func continues(rest: String, continues: Bool) throws {
    let frame = ByteBuffer(string: #"{"code": 200, "message": "OK", "data": {"continues": true}\#(rest)}"#)
    #expect(try Answer.parse(frame).continues == continues)
  }
}
