import DocketServer
import Glibc
import NIOCore
import Testing

@Suite("Why an address cannot be listened on")
struct ListenAddressTests {
  @Test(
    "is told of what was asked for",
    arguments: [
      (
        ListenAddress.unixSocket(path: "/a/docket.sock"),
        "/a/docket.sock cannot be made: this user may not write in its folder"
      ),
      (
        .tcp(host: "127.0.0.1", port: 80),
        "127.0.0.1:80 may not be listened on by this user; ports below 1024 need privileges"
      ),
    ])
  func notPermitted(_ address: ListenAddress, _ words: String) {
    #expect(ListenError(IOError(errnoCode: EACCES, reason: "bind"), at: address).description == words)
  }
}
