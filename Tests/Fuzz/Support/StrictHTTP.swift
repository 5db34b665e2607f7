/// Requests of HTTP/1.1 as RFC 9112 writes them, and not one form besides: what it reads can be read in no other way.
struct StrictHTTP {
  struct Request: Equatable {
    let method: String
    let target: String
    let body: [UInt8]
  }

  /// Those in front that are whole and beyond doubt.
  static func requests(in bytes: [UInt8]) -> [Request] {
    var rest = bytes[...]
    var requests: [Request] = []
    while let request = next(&rest) { requests.append(request) }
    return requests
  }

  private static func next(_ rest: inout ArraySlice<UInt8>) -> Request? {
    guard let first = line(&rest) else { return nil }
    let words = first.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard words.count == 3, ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"].contains(words[0]),
      words[1].hasPrefix("/"), words[1].utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }),
      words[2] == "HTTP/1.1"
    else { return nil }
    var fields: [(name: String, value: String)] = []
    while true {
      guard let line = line(&rest) else { return nil }
      if line.isEmpty { break }
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
        line[..<colon].utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") }),
        line[line.index(after: colon)...].utf8.allSatisfy({ (0x20...0x7E).contains($0) })
      else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields.append((line[..<colon].lowercased(), String(value.reversed().drop { $0 == " " }.reversed())))
    }
    let lengths = fields.filter { $0.name == "content-length" }
    // Chunks, upgrades and connections that end are other targets' and other tests'.
    guard lengths.count <= 1, fields.filter({ $0.name == "host" }).count == 1,
      !fields.contains(where: { ["transfer-encoding", "connection", "upgrade", "expect"].contains($0.name) })
    else { return nil }
    var length = 0
    if let text = lengths.first?.value {
      guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int(text)
      else { return nil }
      length = number
    }
    guard rest.count >= length else { return nil }
    let body = Array(rest.prefix(length))
    rest = rest.dropFirst(length)
    return Request(method: words[0], target: words[1], body: body)
  }

  /// A line of ASCII that ends with CR LF.
  private static func line(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard let end = rest.firstIndex(of: 0x0A), end > rest.startIndex, rest[end - 1] == 0x0D else { return nil }
    let line = rest[..<(end - 1)]
    guard line.allSatisfy({ $0 < 0x80 && $0 != 0x0D }) else { return nil }
    rest = rest[(end + 1)...]
    return String(decoding: line, as: UTF8.self)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  struct Answer {
    let code: Int
    let body: [UInt8]
    let endsConnection: Bool
  }

  /// The answers in what a server has sent, whose bodies begin and end where they say; nil: it is no row of answers.
  /// - Parameter methods: those of the requests that they answer, in order.
  static func answers(in bytes: [UInt8], to methods: [String]) -> [Answer]? {
    var rest = bytes[...]
    var answers: [Answer] = []
    while !rest.isEmpty {
      guard let status = line(&rest), status.hasPrefix("HTTP/1.1 ") || status.hasPrefix("HTTP/1.0 "),
        let code = Int(status.dropFirst(9).prefix(3)), (200...599).contains(code)
      else { return nil }
      var fields: [String: String] = [:]
      while let line = line(&rest), !line.isEmpty {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let name = line[..<colon].lowercased()
        guard fields[name] == nil || name == "vary" else { return nil }
        fields[name] = String(line[line.index(after: colon)...].drop { $0 == " " })
      }
      let isHead = answers.count < methods.count && methods[answers.count] == "HEAD"
      var body: [UInt8] = []
      if isHead || code == 204 || code == 304 {
        // None follows, whatever the header says.
      } else if let length = fields["content-length"].flatMap({ Int($0) }) {
        guard fields["transfer-encoding"] == nil, rest.count >= length else { return nil }
        body = Array(rest.prefix(length))
        rest = rest.dropFirst(length)
      } else if fields["transfer-encoding"] == "chunked" {
        while true {
          guard let size = line(&rest).flatMap({ Int($0, radix: 16) }), rest.count >= size + 2 else { return nil }
          body += rest.prefix(size)
          rest = rest.dropFirst(size)
          guard line(&rest) == "" else { return nil }
          if size == 0 { break }
        }
      } else {
        return nil
      }
      answers.append(Answer(code: code, body: body, endsConnection: fields["connection"] == "close"))
      if fields["connection"] == "close", !rest.isEmpty { return nil }
    }
    return answers
  }
}
