import DocketJSON
import DocketWire
import NIOCore
import Testing

@Suite struct RequestParsingTests {
  private func parse(_ text: String) throws(RequestError) -> Request {
    try Request.parse(ByteBuffer(string: text))
  }

  private func reason(_ text: String) -> RequestError.Reason? {
    do {
      _ = try parse(text)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test("A request's fields are found in any order, with white space around it")
  func fields() throws {
    let request = try parse(" {\"data\" : [1, 2] ,\"path\":\"/notes/1\", \"x\":{}, \"id\": 7, \"method\":\"PUT\"}\n")
    #expect(request.method == .put)
    #expect(request.path == ByteBuffer(string: "/notes/1"))
    #expect(request.data == ByteBuffer(string: "[1, 2]"))
    #expect(request.id == ByteBuffer(string: "7"))
    #expect(request.headers == nil)
  }

  @Test("Data is the bytes that were sent, absent data is none, and null is null")
  func data() throws {
    let text = "{ \"b\" :1.0e+0,\t\"a\":\"\\u0000é\" }"
    #expect(try parse("{\"method\":\"GET\",\"path\":\"/\",\"data\":\(text)}").data == ByteBuffer(string: text))
    #expect(try parse("{\"method\":\"GET\",\"path\":\"/\"}").data == nil)
    #expect(try parse("{\"method\":\"GET\",\"path\":\"/\",\"data\":null}").data == ByteBuffer(string: "null"))
  }

  @Test("Of a field given twice the last one counts, and names are compared once decoded")
  func duplicates() throws {
    let request = try parse(
      "{\"method\":\"GET\",\"path\":\"/a\",\"data\":1,\"m\\u0065thod\":\"PUT\",\"data\":2,\"path\":\"/\\u0062\"}")
    #expect(request.method == .put)
    #expect(request.path == ByteBuffer(string: "/b"))
    #expect(request.data == ByteBuffer(string: "2"))
  }

  @Test(
    "The common spellings of a GET say what any other spelling says, and so does whatever differs from them in a byte")
  func commonSpellings() throws {
    for path in ["/notes/42", "/n/é", "", "/a%20b?x=1", "/\\u0041", "a\u{7F}b"] {
      for frame in ["{\"method\":\"GET\",\"path\":\"\(path)\"}", "{\"method\": \"GET\", \"path\": \"\(path)\"}"] {
        let bytes = Array(frame.utf8)
        for index in bytes.indices {
          for byte in [bytes[index]] + [0x00, 0x1F, 0x20, 0x22, 0x2C, 0x3A, 0x41, 0x5C, 0x7D, 0x7F, 0x80, 0xC3, 0xFF] {
            var changed = bytes
            changed[index] = byte
            let asItIs = try? Request.parse(ByteBuffer(bytes: changed))
            // White space around a request is none of the common spellings.
            let scanned = try? Request.parse(ByteBuffer(bytes: [0x20] + changed))
            #expect(asItIs == scanned, "\(String(decoding: changed, as: UTF8.self))")
          }
        }
        for cut in [bytes.dropLast(), bytes.dropLast(2), bytes.dropLast(3), bytes + [0x7D], bytes + [0x20]] {
          #expect((try? Request.parse(ByteBuffer(bytes: cut))) == (try? Request.parse(ByteBuffer(bytes: [0x20] + cut))))
        }
      }
    }
  }

  @Test("Methods are matched to the letter", arguments: ["get", "GETS", "", "OPTIONS"])
  func otherMethods(_ name: String) throws {
    #expect(try parse("{\"method\":\"\(name)\",\"path\":\"/\"}").method == .other)
  }

  @Test("Texts that are no JSON are told from JSON that is no object")
  func notObjects() {
    #expect(reason("") == .json(JSONError(.unexpectedEnd, offset: 0)))
    #expect(reason("[1]") == .notAnObject)
    #expect(reason("\"x\"") == .notAnObject)
    if case .json = reason("{\"method\":\"GET\",\"path\":\"/\"} x") {} else { Issue.record("trailing bytes pass") }
    if case .json = reason("{\"method\":\"GET\",\"path\":\"/\",}") {} else { Issue.record("a trailing comma passes") }
    if case .json = reason("[1") {} else { Issue.record("a broken array passes") }
  }

  @Test("Bytes that are not UTF-8 are refused, in data as well")
  func notUTF8() {
    var frame = ByteBuffer(string: "{\"method\":\"GET\",\"path\":\"/echo\",\"data\":\"")
    frame.writeBytes([0xFF, 0x22, 0x7D])
    #expect(throws: RequestError.self) { try Request.parse(frame) }
  }

  @Test("A document may use the whole depth, the envelope not counted")
  func depth() throws {
    func frame(_ depth: Int) -> String {
      "{\"method\":\"GET\",\"path\":\"/\",\"data\":\(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))}"
    }
    #expect(try parse(frame(128)).data?.readableBytes == 256)
    if case .json(let error) = reason(frame(129)) {
      if case .tooDeep = error.reason {} else { Issue.record("not told as too deep: \(error)") }
    } else {
      Issue.record("129 deep passes")
    }
    #expect(reason(String(repeating: "[", count: 100_000)) != nil)
  }

  @Test("A missing or wrong method, path, id or header is told by its name")
  func wrongFields() {
    #expect(reason("{\"path\":\"/\"}") == .method)
    #expect(reason("{\"method\":1,\"path\":\"/\"}") == .method)
    #expect(reason("{\"method\":\"GET\"}") == .path)
    #expect(reason("{\"method\":\"GET\",\"path\":null}") == .path)
    #expect(reason("{\"method\":\"GET\",\"path\":\"\\ud800\"}") == .path)
    #expect(reason("{\"method\":\"GET\",\"path\":\"/\",\"headers\":[]}") == .headers)
    #expect(reason("{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"a\":true}}") == .headers)
  }

  @Test("An id is a string of at most 64 bytes or an integer, and is kept as it was sent")
  func ids() throws {
    func id(_ text: String) throws -> ByteBuffer? { try parse("{\"method\":\"GET\",\"path\":\"/\",\"id\":\(text)}").id }
    let longest = "\"" + String(repeating: "é", count: 32) + "\""
    for text in ["0", "-12", "\"\"", "\"a\\u0041\"", longest] { #expect(try id(text) == ByteBuffer(string: text)) }
    for text in ["1.0", "1e3", "null", "true", "[1]", "{}", "\"" + String(repeating: "x", count: 65) + "\""] {
      #expect(reason("{\"method\":\"GET\",\"path\":\"/\",\"id\":\(text)}") == .id)
    }
  }

  @Test("An error keeps what could be read, so that its answer can be told apart")
  func partsOfErrors() {
    do {
      _ = try parse("{\"path\":\"/notes/1\",\"id\":5,\"headers\":{\"A\":\"b\"}}")
      Issue.record("a request without method passes")
    } catch {
      #expect(error.path == ByteBuffer(string: "/notes/1"))
      #expect(error.id == ByteBuffer(string: "5"))
      #expect(error.headers?["a"] == "b")
    }
  }

  @Test("Headers are compared without regard to case, numbers are taken, and the last one counts")
  func headers() throws {
    let headers = try #require(
      try parse(
        "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"ETag\":\"x\",\"Connection\":\"foo , Keep-Alive\",\"N\":12,\"etag\":\"y\"}}"
      ).headers)
    #expect(headers["ETAG"] == "y")
    #expect(headers["n"] == "12")
    #expect(headers.list("connection", contains: "keep-alive"))
    #expect(!headers.list("connection", contains: "close"))
    let prefer = Headers([("Prefer", "respond-async; wait=\"1\" , Dry-Run ;a=1")])
    #expect(prefer.list("prefer", contains: "dry-run") && prefer.list("prefer", contains: "respond-async"))
    #expect(!prefer.list("prefer", contains: "a=1"))
    let gaps = Headers([("Prefer", ",, \tdry-run\t ;a, é,")])
    #expect(gaps.list("prefer", contains: "DRY-RUN") && gaps.list("prefer", contains: "é"))
    #expect(!gaps.list("prefer", contains: "dry"))
  }

  @Test("Of a list the first 1,000 elements are looked at")
  func longLists() {
    let last = Headers([("Connection", String(repeating: "a,", count: 999) + "close")])
    #expect(last.list("Connection", contains: "close"))
    let behind = Headers([("Connection", String(repeating: "a,", count: 1_000) + "close")])
    #expect(!behind.list("Connection", contains: "close"))
  }
}
