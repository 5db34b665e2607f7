import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketService

@Suite("The list of the original routes")
struct ListRoomTests {
  private static func add(_ bytes: Int, to list: inout ItemList) -> ScanStep {
    let text = ByteBuffer(repeating: UInt8(ascii: "1"), count: bytes)
    return list.add(text, limit: 1_000)
  }

  @Test("takes room for answers while it is made, and none when it is ready")
  func share() {
    let room = AnswerRoom(limitBytes: 10)
    var list = ItemList(room.emptyShare())
    // Its own size leaves it as it is.
    for _ in 0..<3 { #expect(Self.add(20, to: &list) == .next) }
    #expect(room.waitingBytes == 60)
    #expect(room.isFull)
    #expect(list.finish().readableBytes == 66)
    #expect(room.waitingBytes == 0)
  }

  @Test("ends where others take the room, and gives back what it took")
  func crowdedOut() {
    let room = AnswerRoom(limitBytes: 10)
    do {
      var list = ItemList(room.emptyShare())
      #expect(Self.add(20, to: &list) == .next)
      room.note(11)
      #expect(Self.add(20, to: &list) == .stop)
      #expect(list.isCrowdedOut)
      #expect(room.waitingBytes == 31)
    }
    #expect(room.waitingBytes == 11)
  }

  @Test("is told not to be had then, which is no list that was cut")
  func refusal() async throws {
    let room = AnswerRoom(limitBytes: 10)
    let service = try QueryService(answers: room)
    try await service.put("/item/", ["1": "10"])
    #expect(await service.get("/list") == (200, "[10]"))
    room.note(11)
    let refused = await service.get("/list")
    #expect(refused.code == 503 && refused.data.contains("overloaded"), "\(refused)")
    room.note(-11)
    #expect(await service.get("/list") == (200, "[10]"))
    #expect(room.waitingBytes == 0)
  }
}
