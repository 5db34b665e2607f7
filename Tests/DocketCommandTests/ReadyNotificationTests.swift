import Foundation
import Testing

@testable import docket

@Suite("The notification that the server is ready")
struct ReadyNotificationTests {
  /// Listens at a name, sends, and returns what came.
  private static func receive(name: String, status: String) throws -> String {
    let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(name.utf8.map { $0 == UInt8(ascii: "@") ? 0 : $0 })
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
    }
    #expect(bound == 0)
    try #require(ReadyNotification(environment: ["NOTIFY_SOCKET": name])).send(status: status)
    var bytes = [UInt8](repeating: 0, count: 4096)
    // It is there already, or never comes.
    let count = recv(listener, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return count < 0 ? "nothing" : String(decoding: bytes[..<count], as: UTF8.self)
  }

  @Test("goes to an abstract name, which is not a file")
  func abstract() throws {
    let name = "@docket-test-\(UUID())"
    #expect(try Self.receive(name: name, status: "Listening.") == "READY=1\nSTATUS=Listening.")
  }

  @Test("takes the longest path that there is room for, and says of a longer one that it is none")
  func longest() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("n-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = (folder.path + "/").padding(toLength: 107, withPad: "s", startingAt: 0)
    #expect(try Self.receive(name: path, status: "") == "READY=1\nSTATUS=")
    let longer = ReadyNotification(environment: ["NOTIFY_SOCKET": path + "s"])
    #expect(throws: ReadyNotification.Failure.badAddress(path + "s")) { try longer?.send(status: "") }
  }

  @Test("is one message, whatever is in the line for people")
  func oneMessage() throws {
    let name = "@docket-test-\(UUID())"
    #expect(try Self.receive(name: name, status: "a\nREADY=0") == "READY=1\nSTATUS=a READY=0")
  }

  @Test("is for nobody where nobody asked, and refuses what is no address", arguments: ["relative", "@", "/"])
  func refusals(name: String) {
    #expect(ReadyNotification(environment: [:]) == nil)
    #expect(ReadyNotification(environment: ["NOTIFY_SOCKET": ""]) == nil)
    let notification = ReadyNotification(environment: ["NOTIFY_SOCKET": name])
    #expect(throws: ReadyNotification.Failure.badAddress(name)) { try notification?.send(status: "") }
  }
}
