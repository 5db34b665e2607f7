import DocketWire
import NIOCore
import Testing

@Suite struct ResponseEncodingTests {
  private func text(
    _ response: Response, id: String? = nil, withHeaders: Bool = false, terminated: Bool = false
  ) -> String {
    var buffer = ByteBuffer()
    buffer.writeResponse(
      response, id: id.map { ByteBuffer(string: $0) }, withHeaders: withHeaders, terminated: terminated)
    return String(buffer: buffer)
  }

  @Test("An answer has just three keys, spaced as Python prints them")
  func threeKeys() {
    #expect(
      text(Response(.ok, data: ByteBuffer(string: "[1,2]"))) == #"{"code": 200, "message": "OK", "data": [1,2]}"#)
    #expect(text(Response(.notFound)) == #"{"code": 404, "message": "Not Found", "data": null}"#)
  }

  @Test("id and headers follow, in this order, where the request had them")
  func moreKeys() {
    let response = Response(.ok, headers: Headers([("ETag", "\"17\""), ("A", "b")]))
    #expect(
      text(response, id: "\"x\"", withHeaders: true, terminated: true)
        == "{\"code\": 200, \"message\": \"OK\", \"data\": null, \"id\": \"x\", "
        + "\"headers\": {\"ETag\": \"\\\"17\\\"\", \"A\": \"b\"}}\0")
  }

  @Test("Every status has its code and a phrase")
  func statuses() {
    for status in Status.allCases {
      #expect(
        text(Response(status)) == "{\"code\": \(status.rawValue), \"message\": \"\(status.phrase)\", \"data\": null}")
    }
  }

  @Test("Numbers are written as Swift prints them")
  func decimals() {
    for number in [0, 7, -1, 1_000_000, Int64.max, Int64.min] {
      var buffer = ByteBuffer()
      buffer.writeDecimal(number)
      #expect(String(buffer: buffer) == String(number))
    }
  }
}
