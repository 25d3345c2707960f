# Accesses to guest memory: see x86_64.rs for the conventions. Intel syntax, System V calling convention,
# results in RAX (value) and RDX (0; the recovery puts the host address of a fault there).
.pushsection .text.vega_exec_leaf,"ax",@progbits
.balign 64
.globl vega_exec_leaf_begin
.hidden vega_exec_leaf_begin
vega_exec_leaf_begin:
.balign 16
.globl vega_exec_load1
.hidden vega_exec_load1
vega_exec_load1:
    xor edx, edx
    movzx eax, byte ptr [rdi]
    ret
.balign 16
.globl vega_exec_load2
.hidden vega_exec_load2
vega_exec_load2:
    xor edx, edx
    movzx eax, word ptr [rdi]
    ret
.balign 16
.globl vega_exec_load4
.hidden vega_exec_load4
vega_exec_load4:
    xor edx, edx
    mov eax, dword ptr [rdi]
    ret
.balign 16
.globl vega_exec_load8
.hidden vega_exec_load8
vega_exec_load8:
    xor edx, edx
    mov rax, qword ptr [rdi]
    ret
.balign 16
.globl vega_exec_store1
.hidden vega_exec_store1
vega_exec_store1:
    xor edx, edx
    mov byte ptr [rdi], sil
    ret
.balign 16
.globl vega_exec_store2
.hidden vega_exec_store2
vega_exec_store2:
    xor edx, edx
    mov word ptr [rdi], si
    ret
.balign 16
.globl vega_exec_store4
.hidden vega_exec_store4
vega_exec_store4:
    xor edx, edx
    mov dword ptr [rdi], esi
    ret
.balign 16
.globl vega_exec_store8
.hidden vega_exec_store8
vega_exec_store8:
    xor edx, edx
    mov qword ptr [rdi], rsi
    ret
.balign 16
.globl vega_exec_swap4
.hidden vega_exec_swap4
vega_exec_swap4:
    xor r8d, r8d
    mov eax, esi
    xor edx, edx
    xchg dword ptr [rdi], eax
    ret
.balign 16
.globl vega_exec_add4
.hidden vega_exec_add4
vega_exec_add4:
    mov eax, esi
    xor edx, edx
    lock xadd dword ptr [rdi], eax
    ret
.balign 16
.globl vega_exec_cas4
.hidden vega_exec_cas4
vega_exec_cas4:
    mov eax, esi
    mov ecx, edx
    xor edx, edx
    lock cmpxchg dword ptr [rdi], ecx
    ret
.balign 16
.globl vega_exec_swap8
.hidden vega_exec_swap8
vega_exec_swap8:
    xor r8d, r8d
    mov rax, rsi
    xor edx, edx
    xchg qword ptr [rdi], rax
    ret
.balign 16
.globl vega_exec_add8
.hidden vega_exec_add8
vega_exec_add8:
    mov rax, rsi
    xor edx, edx
    lock xadd qword ptr [rdi], rax
    ret
.balign 16
.globl vega_exec_cas8
.hidden vega_exec_cas8
vega_exec_cas8:
    mov rax, rsi
    mov rcx, rdx
    xor edx, edx
    lock cmpxchg qword ptr [rdi], rcx
    ret
.balign 16
.globl vega_exec_copy
.hidden vega_exec_copy
vega_exec_copy:
    mov rcx, rdx
    xor edx, edx
    rep movsb
    ret
.balign 16
.globl vega_exec_fill4
.hidden vega_exec_fill4
vega_exec_fill4:
    mov rcx, rdx
    mov eax, esi
    xor edx, edx
    rep stosd
    ret
# One lane's transfer: the element at [r10], the lane's registers at rdi + lane.
.macro take1 lane
    movzx eax, byte ptr [r10]
    mov dword ptr [rdi + \lane], eax
.endm
.macro take2 lane
    movzx eax, word ptr [r10]
    mov dword ptr [rdi + \lane], eax
.endm
.macro take4 lane
    mov eax, dword ptr [r10]
    mov dword ptr [rdi + \lane], eax
.endm
.macro take8 lane
    mov rax, qword ptr [r10]
    mov dword ptr [rdi + \lane], eax
    shr rax, 32
    mov dword ptr [rdi + \lane + 256], eax
.endm
.macro take12 lane
    take8 \lane
    mov eax, dword ptr [r10 + 8]
    mov dword ptr [rdi + \lane + 512], eax
.endm
# Sixteen bytes in one piece: lock-free code on the card relies on it. Processors with AVX move aligned ones so.
.macro take16 lane
    movdqu xmm0, [r10]
    movq rax, xmm0
    mov dword ptr [rdi + \lane], eax
    shr rax, 32
    mov dword ptr [rdi + \lane + 256], eax
    punpckhqdq xmm0, xmm0
    movq rax, xmm0
    mov dword ptr [rdi + \lane + 512], eax
    shr rax, 32
    mov dword ptr [rdi + \lane + 768], eax
.endm
.macro give1 lane
    mov eax, dword ptr [rdi + \lane]
    mov byte ptr [r10], al
.endm
.macro give2 lane
    mov eax, dword ptr [rdi + \lane]
    mov word ptr [r10], ax
.endm
.macro give4 lane
    mov eax, dword ptr [rdi + \lane]
    mov dword ptr [r10], eax
.endm
.macro give8 lane
    mov r9d, dword ptr [rdi + \lane + 256]
    mov eax, dword ptr [rdi + \lane]
    shl r9, 32
    or rax, r9
    mov qword ptr [r10], rax
.endm
.macro give12 lane
    give8 \lane
    mov eax, dword ptr [rdi + \lane + 512]
    mov dword ptr [r10 + 8], eax
.endm
.macro give16 lane
    movd xmm0, dword ptr [rdi + \lane]
    movd xmm1, dword ptr [rdi + \lane + 256]
    movd xmm2, dword ptr [rdi + \lane + 512]
    movd xmm3, dword ptr [rdi + \lane + 768]
    punpckldq xmm0, xmm1
    punpckldq xmm2, xmm3
    punpcklqdq xmm0, xmm2
    movdqu [r10], xmm0
.endm

# All lanes of the mask in rdx, ascending; addresses at rsi. A full mask needs no bit scan.
.macro lanes name, move
    .balign 16
    .globl vega_exec_\name
    .hidden vega_exec_\name
vega_exec_\name:
    mov r8, rdx
    xor edx, edx
    cmp r8, -1
    je 3f
    test r8, r8
    jz 2f
1:
    bsf rcx, r8
    lea r9, [r8 - 1]
    mov r10, qword ptr [rsi + rcx*8]
    and r8, r9
    \move "rcx*4"
    test r8, r8
    jnz 1b
2:
    ret
3:
    xor ecx, ecx
4:
    mov r10, qword ptr [rsi + rcx*8]
    \move "rcx*4"
    mov r10, qword ptr [rsi + rcx*8 + 8]
    \move "rcx*4 + 4"
    add ecx, 2
    cmp ecx, 64
    jb 4b
    ret
.endm
lanes gather1, take1
lanes gather2, take2
lanes gather4, take4
lanes gather8, take8
lanes gather12, take12
lanes gather16, take16
lanes scatter1, give1
lanes scatter2, give2
lanes scatter4, give4
lanes scatter8, give8
lanes scatter12, give12
lanes scatter16, give16
.purgem lanes
.purgem take1
.purgem take2
.purgem take4
.purgem take8
.purgem take12
.purgem take16
.purgem give1
.purgem give2
.purgem give4
.purgem give8
.purgem give12
.purgem give16
.balign 16
.globl vega_exec_load_rows_avx2
.hidden vega_exec_load_rows_avx2
vega_exec_load_rows_avx2:
    xor edx, edx
    mov rax, qword ptr [rsi + 0]
    vmovdqu ymm0, [rax + 0]
    vmovdqu ymm1, [rax + 32]
    vmovdqu [rdi + 0], ymm0
    vmovdqu [rdi + 32], ymm1
    mov rax, qword ptr [rsi + 8]
    vmovdqu ymm0, [rax + 0]
    vmovdqu ymm1, [rax + 32]
    vmovdqu [rdi + 64], ymm0
    vmovdqu [rdi + 96], ymm1
    mov rax, qword ptr [rsi + 16]
    vmovdqu ymm0, [rax + 0]
    vmovdqu ymm1, [rax + 32]
    vmovdqu [rdi + 128], ymm0
    vmovdqu [rdi + 160], ymm1
    mov rax, qword ptr [rsi + 24]
    vmovdqu ymm0, [rax + 0]
    vmovdqu ymm1, [rax + 32]
    vmovdqu [rdi + 192], ymm0
    vmovdqu [rdi + 224], ymm1
    vzeroupper
    ret
.balign 16
.globl vega_exec_load_rows_sse2
.hidden vega_exec_load_rows_sse2
vega_exec_load_rows_sse2:
    xor edx, edx
    mov rax, qword ptr [rsi + 0]
    movdqu xmm0, [rax + 0]
    movdqu xmm1, [rax + 16]
    movdqu xmm2, [rax + 32]
    movdqu xmm3, [rax + 48]
    movdqu [rdi + 0], xmm0
    movdqu [rdi + 16], xmm1
    movdqu [rdi + 32], xmm2
    movdqu [rdi + 48], xmm3
    mov rax, qword ptr [rsi + 8]
    movdqu xmm0, [rax + 0]
    movdqu xmm1, [rax + 16]
    movdqu xmm2, [rax + 32]
    movdqu xmm3, [rax + 48]
    movdqu [rdi + 64], xmm0
    movdqu [rdi + 80], xmm1
    movdqu [rdi + 96], xmm2
    movdqu [rdi + 112], xmm3
    mov rax, qword ptr [rsi + 16]
    movdqu xmm0, [rax + 0]
    movdqu xmm1, [rax + 16]
    movdqu xmm2, [rax + 32]
    movdqu xmm3, [rax + 48]
    movdqu [rdi + 128], xmm0
    movdqu [rdi + 144], xmm1
    movdqu [rdi + 160], xmm2
    movdqu [rdi + 176], xmm3
    mov rax, qword ptr [rsi + 24]
    movdqu xmm0, [rax + 0]
    movdqu xmm1, [rax + 16]
    movdqu xmm2, [rax + 32]
    movdqu xmm3, [rax + 48]
    movdqu [rdi + 192], xmm0
    movdqu [rdi + 208], xmm1
    movdqu [rdi + 224], xmm2
    movdqu [rdi + 240], xmm3
    ret
.balign 16
.globl vega_exec_store_rows_avx2
.hidden vega_exec_store_rows_avx2
vega_exec_store_rows_avx2:
    xor edx, edx
    mov rax, qword ptr [rsi + 0]
    vmovdqu ymm0, [rdi + 0]
    vmovdqu ymm1, [rdi + 32]
    vmovdqu [rax + 0], ymm0
    vmovdqu [rax + 32], ymm1
    mov rax, qword ptr [rsi + 8]
    vmovdqu ymm0, [rdi + 64]
    vmovdqu ymm1, [rdi + 96]
    vmovdqu [rax + 0], ymm0
    vmovdqu [rax + 32], ymm1
    mov rax, qword ptr [rsi + 16]
    vmovdqu ymm0, [rdi + 128]
    vmovdqu ymm1, [rdi + 160]
    vmovdqu [rax + 0], ymm0
    vmovdqu [rax + 32], ymm1
    mov rax, qword ptr [rsi + 24]
    vmovdqu ymm0, [rdi + 192]
    vmovdqu ymm1, [rdi + 224]
    vmovdqu [rax + 0], ymm0
    vmovdqu [rax + 32], ymm1
    vzeroupper
    ret
.balign 16
.globl vega_exec_store_rows_sse2
.hidden vega_exec_store_rows_sse2
vega_exec_store_rows_sse2:
    xor edx, edx
    mov rax, qword ptr [rsi + 0]
    movdqu xmm0, [rdi + 0]
    movdqu xmm1, [rdi + 16]
    movdqu xmm2, [rdi + 32]
    movdqu xmm3, [rdi + 48]
    movdqu [rax + 0], xmm0
    movdqu [rax + 16], xmm1
    movdqu [rax + 32], xmm2
    movdqu [rax + 48], xmm3
    mov rax, qword ptr [rsi + 8]
    movdqu xmm0, [rdi + 64]
    movdqu xmm1, [rdi + 80]
    movdqu xmm2, [rdi + 96]
    movdqu xmm3, [rdi + 112]
    movdqu [rax + 0], xmm0
    movdqu [rax + 16], xmm1
    movdqu [rax + 32], xmm2
    movdqu [rax + 48], xmm3
    mov rax, qword ptr [rsi + 16]
    movdqu xmm0, [rdi + 128]
    movdqu xmm1, [rdi + 144]
    movdqu xmm2, [rdi + 160]
    movdqu xmm3, [rdi + 176]
    movdqu [rax + 0], xmm0
    movdqu [rax + 16], xmm1
    movdqu [rax + 32], xmm2
    movdqu [rax + 48], xmm3
    mov rax, qword ptr [rsi + 24]
    movdqu xmm0, [rdi + 192]
    movdqu xmm1, [rdi + 208]
    movdqu xmm2, [rdi + 224]
    movdqu xmm3, [rdi + 240]
    movdqu [rax + 0], xmm0
    movdqu [rax + 16], xmm1
    movdqu [rax + 32], xmm2
    movdqu [rax + 48], xmm3
    ret
.balign 16
.globl vega_exec_leaf_end
.hidden vega_exec_leaf_end
vega_exec_leaf_end:
.globl vega_exec_leaf_recover
.hidden vega_exec_leaf_recover
vega_exec_leaf_recover:
    ret
.popsection
