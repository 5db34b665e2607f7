import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("finds documents by what they hold")
  struct QueryTests {
    private func get(_ path: String, _ data: String = "null") -> String {
      #"{"method":"GET","path":"\#(path)","data":\#(data)}"#
    }

    @Test("after every write that was acknowledged, page by page, behind writes on the same connection too")
    func pages() async throws {
      try await withServer { (server) throws in
        let socket = try server.connect()
        _ = try socket.exchange(#"{"method":"GET","path":"/","headers":{"Connection":"keep-alive"}}"#)
        for number in 0..<30 {
          let data = #"{"n":\#(number % 3),"t":"\#(String(repeating: "x", count: number))"}"#
          try socket.send(#"{"method":"PUT","path":"/q/\#(number)","data":\#(data)}"# + "\0")
        }
        try socket.send(get("/q/?where[n]=1&count=true&limit=0") + "\0")
        for _ in 0..<30 { #expect(try socket.receiveFrame()?.contains(#""code": 201"#) == true) }
        #expect(try socket.receiveFrame()?.contains(#""count": 10}"#) == true)
        var found: [Substring] = []
        var next: Substring? = ""
        while let after = next {
          let page = try #require(
            try socket.exchange(
              get(
                "/q/", #"{"where":{"n":1},"sort":["-t"],"limit":3,"after":\#(after.isEmpty ? "null" : "\"\(after)\"")}"#
              )))
          found += page.matches(of: /"id": "(\d+)"/).map(\.1)
          next = page.firstMatch(of: /"next": "(\w+)"/)?.1
        }
        #expect(found == ["28", "25", "22", "19", "16", "13", "10", "7", "4", "1"])
      }
    }

    @Test("and with --refuse-scans not where that takes looking through too many")
    func refusedScans() async throws {
      try await withServer(["--refuse-scans", "--scan-warning-documents", "5"]) { (server) throws in
        for number in 0..<9 {
          _ = try server.exchange(#"{"method":"PUT","path":"/q/\#(number)","data":{"n":\#(number)}}"#)
        }
        let refused = try server.exchange(get("/q/?where[n]=8"))
        #expect(refused.contains(#""code": 400"#) && refused.contains("scan_refused"))
        #expect(refused.contains(#""index": ["n"]"#))
        #expect(try server.exchange(get("/q/?fields=n")).contains(#""next": null"#))
      }
    }
  }
}
